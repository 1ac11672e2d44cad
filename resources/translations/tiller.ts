<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" sourcelanguage="en">
<context>
    <name>Tiller</name>
    <message>
        <source> GB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> in process {number}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> minutes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>+{more} epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 hour ago</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 minute ago</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 module</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1: a straight line. More: fast first, gentle landing.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&lt;qt&gt;A group of parameters has a learning rate of its own.&lt;br&gt;One group: every module alike.&lt;br&gt;Head and rest: the last layers learn {factor} times as fast.&lt;br&gt;Layer by layer: each block slower than the next one, the last layers fastest.&lt;br&gt;Frozen backbone first: only the last layers learn at first, then all do.&lt;br&gt;Patterns: you say which modules, by name.&lt;/qt&gt;</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&lt;qt&gt;A multiplier: the LR is the base LR times the expression, as in PyTorch.&lt;br&gt;The LR itself: the base LR becomes 1, so what you write is the LR.&lt;/qt&gt;</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&lt;qt&gt;An expression in epoch, which is 0 before the first epoch, such as 0.95**epoch.&lt;br&gt;Names: epoch, step, epochs, steps_per_epoch, pi, e.&lt;br&gt;Functions: abs, ceil, cos, exp, floor, log, max, min, sin, sqrt. Also: a if test else b.&lt;/qt&gt;</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&lt;qt&gt;Points drawn with the mouse stand at whole epochs; with Ctrl, anywhere.&lt;/qt&gt;</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&lt;qt&gt;Show the points on the plot: drag them; click the line or double-click beside it to add one; right-click one, or press Delete, to remove it.&lt;/qt&gt;</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>= epoch {epoch} of the run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A baseline to compare with, or when your own hand is the schedule.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A batch with a greater loss is not learned from, and the run pauses. One that is not a number never is.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A branch of {parent}, from epoch {epoch}, batch {batch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A branch of {parent}, from its beginning</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A branch of {parent}, from the end of epoch {epoch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A built-in network, or FILE.py:FUNCTION, a function of your own that takes in_channels and num_classes and returns an nn.Module.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A careful first stage at a fixed smaller rate, before another schedule or your own hand.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A change here puts all groups on one schedule.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A copy of the network trains on while its rate grows batch by batch, and the loss shows which rates it bears. The run itself is untouched: it stands, and goes on, as if nothing had been tried.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A cosine stays fast for long and lands gently, with no moment of a cut to guess. If you do not know how long to train, ReduceLROnPlateau cuts when progress stops.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A cut smaller than this is not made.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A decay whose factor changes on the way: 0.9 at first, 0.99 later.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A factor is at most {most}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A factor is more than 0. To stop a group, freeze it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A field above is wrong.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A learning rate is 0 or more.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A learning rate is at most {most}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A learning rate, such as 0.001 or 1e-3. Enter applies it, Escape drops it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A line through points that you set; before the first point and past the last the rate is level.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A new branch starts there, exactly as the run was then. The run itself is kept.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A new recipe like this run's, but for the batch size, to look at and to start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A new run in three steps</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A new run with these settings; this one stays in the library</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A new run, with these settings to start from</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A row an epoch: metrics, LR, and what your hand did</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A run that goes on keeps its batch size. A new one can have a smaller one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A schedule made of others can only come first in a SequentialLR: PyTorch cannot begin it later.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A schedule that counts epochs begins best at an epoch's start; in mid-epoch, that epoch is its first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A smooth curve that never swings beyond its points (SciPy's PCHIP), in place of straight lines.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A smooth, steady decay. gamma near 1: 0.9 leaves 4% after 30 epochs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A warm-up and then another schedule; stages of different kinds.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A warm-up: the first epochs gently, up to the full rate.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>About Tiller</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Accuracy appears here after the first epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adam with a weight decay that does what it says; start near 0.001.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adam with decoupled weight decay.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adaptive moments.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adaptive: a metric decides</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add a group</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add a point after the chosen one</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add a stage</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Added to the denominator.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Advice</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>After T_max {t_max} the LR rises again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All groups</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All groups are on this schedule.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All groups are scaled together, which cannot give 0. Choose one group.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All runs: search, compare, continue (Ctrl+R)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All states</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All tags</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Allowed: {limits}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>An older adaptive method; start near 0.001.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Another group of modules, with a learning rate of its own</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Another schedule, after the last</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Another schedule, whose factors multiply with the others'</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Another window or program is at this run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Any curve that is easier drawn than written, with the mouse on the plot.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Apply</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Apply at the next batch (Enter).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As all groups</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As if from epoch 1 means the recipe's LR.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As the system</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>At most {most} stages.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>At once, at the next batch.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Augment</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Auto ({device})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to plan</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to plan ({lr})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back, as it was</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back, at a tenth of the LR</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Base LR</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Batch size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Begin the same recipe anew with half the batch size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Begin training (Space).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Best acc.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Best epoch ends</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Best loss</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Best validation accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Brings the same schedule, with its counts fitted, into the editor. Apply there takes it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CPU</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CUBLAS_WORKSPACE_CONFIG was not set before the start: a resumed run may differ in its last bits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Call going back off</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Call the search for a rate off</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change schedule…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check the library</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose CosineAnnealingLR, T_max {t_max}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose StepLR, step_size {size}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a line where your hand changed the LR.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a line where your hand changed the run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a point in the table first; one must stay</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a run first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a smaller network, or another device.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose another plan and see its curve before it is applied.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose one run only.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the Python file that holds the function</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the folder that holds the data set</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose two to six runs, with Ctrl or Shift.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Click to choose another.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close this message.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close what else takes memory, or choose a smaller network or another device.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Come down to the first rate as fast as it rose, and only then go below it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare with {name} no longer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare {n} runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Completed epochs after which the rate is cut, in increasing order: 15, 30, 45.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Completed epochs after which the whole rate is in force.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Completed epochs at which the next schedule takes over: one fewer than schedulers.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Completed epochs at which the rate is 0; usually the epochs of the run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Complex tasks whose length is not known: it cuts when progress stops.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Complex tasks with a known number of epochs: long fast phase, gentle landing.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Complex tasks with a known number of epochs; usual in segmentation, with power 0.9.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Continue</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Continue {run}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copied</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copied as PyTorch code. Paste it where your model and your loaders are.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy a snapshot from elsewhere in, as a run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy as PyTorch code</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy the message and its details, to send to somebody.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CosineAnnealingLR over the epochs left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CosineAnnealingLR: down, and up again past T_max</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Count in epochs completed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Count in steps (batches)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Count in time trained, pauses left out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Counted from {begin} on, where this stage begins. {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Curves of the chosen runs in one plot, and what differs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Custom: you write the curve</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cutout</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cuts the rate by factor when the monitored metric has not improved for more than patience epochs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dampening of momentum.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dark</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Data</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Data and network are on the left. What stands there works as it is.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Data set</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Data, network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Decay of the average.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Decay of the two moments' averages.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Decides the initial weights, the order and the augmentation.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Default: {value}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Defaults</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Details</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device, precision</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Digits, 8 × 8</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Disk</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dismiss: {advice}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Diverged</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Divide by an estimate of the variance instead.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Divides each gradient by a running average of its size.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Do it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Do it: {effect}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Do not train these modules.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Double-click to note why you did this; it is kept with the run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Double-click to write something here.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Download</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Downloading {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drag to bend the curve from here on; nothing happens before Apply.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drag to set the LR from now on; with Shift it is kept. Escape drops the change.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drag to stage a learning rate. The mark shows the one in force.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Draw from this</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Draw on the plot</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Duplicate as new</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Duplicate as new with batches of {n}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>ETA {time}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Each block's LR is that of the next block times this. Allowed: more than 0, at most 1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Edit this stage</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Empty the bin? Its runs are removed with all their snapshots, and cannot be brought back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Empty the bin…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>End of epoch {epoch}: validation accuracy {accuracy}, loss {loss}, LR {lr}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>End the run here and save it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>End the run here and save it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epoch {epoch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epoch {epoch}, batch {batch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epoch {epoch}, batch {batch}: {act}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epoch {epoch}/{epochs}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epoch {first}: {begin}. Epoch {last}: {end}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epoch.batch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs after a cut in which nothing is counted.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs between two cuts.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs completed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs done, of how many</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs from start_factor to end_factor.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs from the top to the bottom of the cosine; usually the epochs of the run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs in all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs until the first restart.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs without improvement that are forgiven; the next one cuts.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Every epoch's end is saved, and thinned to these. What you save yourself always stays. A place whose snapshot is gone can still be gone back to: it is computed again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Every group's LR is 0, and no factor lifts it. Choose one group.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Every run that you start is kept here, to be continued, compared or thrown away.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Examples</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>ExponentialLR: 2% less each epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Expression in epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Expression of {group}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FILE.py:FUNCTION, a function that takes in_channels and num_classes and returns an nn.Module</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Factor a block</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Factor after every epoch.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Factor of each cut.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Factor of the plan of {group}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fast first, then slow: large steps find a good region, small ones settle in it. Leave it if your own hand is the schedule.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fast training to a good result in a known number of epochs, at a high rate.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fetch the data set from the Internet and put it into the folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>File and function of your own network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>File of your network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Find a learning rate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Find a rate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Find a rate…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fine-tuning: a new head at ten times the LR of the rest</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fine-tuning: each earlier block slower</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Finish now</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Finished</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Finished: {accuracy} validation accuracy after {epochs} epochs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fit the schedule to {epochs} epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Flip</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fold this stage</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder for recipe.json and hand.jsonl</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder of the data set</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Follow</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>For a complex task, try CosineAnnealingLR</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>For a crash in mid-epoch; 0: never</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Forget the staged change (Escape).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Forget this change; the plan in force stays</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Forget what is typed (Escape).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Forgiving about the rate; start near 0.001.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Freeze {group}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From batch to batch it moves by {share}% and does not fall. Early on, that is a LR that is too high.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From epoch {epoch} on the LR is next to nothing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From there it is {lr}, under a ten-thousandth of where it was: the last {left} epochs change nothing.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Frozen</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Frozen backbone first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give every parameter group an expression of its own</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give up this group's own schedule; it is on that of all groups again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back in {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to epoch {epoch}, batch {batch}, in a new branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to here…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to just before it: {n} epochs are left behind…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to just before “{act}”…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to the beginning…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to the end of an epoch, in a new branch; the run itself is kept</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to the end of epoch {epoch}, in a new branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to the end of epoch {epoch}…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to the last good state and on from there at a tenth of the rate. This run is kept.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to the last good state, with the rate it had, and stand paused there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to the start, in a new branch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back to {where}?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go back…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go on (Space).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go on as it is</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go on exactly where the run was saved.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go on from just before this act, in a new branch. This run is kept.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Goes up and down between base_lr and max_lr, and momentum the other way.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Going back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Gone back from</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Group {number}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Group {number}, {field}: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Group {number}: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Groups</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Groups: add a group, or choose One group.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Groups: the modules of your network are not known yet; choose Patterns to name them yourself.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Groups: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Half a cosine down to eta_min in T_0 epochs, then back to the top at once; each cosine T_mult times as long.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Half a cosine from the rate down to eta_min in T_max epochs; past T_max it rises again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Halve it, double it or drag its curve on the right, as it trains.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hand: it did nothing in any of them</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hand: the same in all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hand: what differs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Handwritten digits, StepLR</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Head and rest</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Held. Back to plan goes on with {name}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hide the settings that are rarely changed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Highest momentum, where the rate is lowest.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Highest rate, at the cycle's top.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Highest rate; base_lr is usually a third to a tenth of it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hold</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How many of a run's best epoch ends are kept beside them</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How many of a run's newest epoch ends are kept</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How many of the newest; -1 keeps them all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How many rates to try, one a batch: 20 to 10000, usually 100.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How many times as long each cosine is as the one before.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How much better counts as better (a share of the best value with rel, an amount with abs).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How they did</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Images per step.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import a snapshot</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import a snapshot…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import, the bin, check and settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In a run, stage this rate in the hand's panel, to be applied there; before the start, begin with it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In place of mode: an expression in x for the height, such as 0.5**(x - 1).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In the bin</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In the bin ({n})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In the last range test the loss fell best at {lr}, and rates far above it made it grow.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In the last range test the loss fell best at {lr}. At {now} training may crawl.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In the run the hand acted too, which this code leaves out:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Interrupted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It began at {first} and flew to {most}. Early on, that is a LR that is too high.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It forgives {patience} epochs without improvement, so the first cut could come in epoch {first}. The run has {epochs}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It gives</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It is the first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It is the last.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It is {times} times less than what {optimizer} usually starts with, {first}: training may crawl.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It is {times} times what {optimizer} usually starts with, {first}: the loss may jump about or grow.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It reached {bound}, so ReduceLROnPlateau takes every epoch as a bad one and cuts the LR again and again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It was gone back from, and went on as a branch. It can still be continued itself.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It went from {low} to {high} over the last batches: steps this large lead away from what was learned.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Its best is {best}. Where large steps bring no more, smaller ones often do; the plan has no cut soon.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Its program ended in the middle of it. It can be continued from its newest snapshot.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep so</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep the curve's shape</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep the curve's shape, from the LR in force</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep the largest second moment.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep this LR</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep this LR instead</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep this LR until you go back to the plan</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep this schedule's curve on the plot, and try another beside it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LR</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LR of {group}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LR {lr} is high for {optimizer}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LR {lr} is low for {optimizer}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LR {lr}, from {now}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LR {lr}. Type another: Enter applies it, Escape drops it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labelled images to learn from.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LambdaLR: a line, then level</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LambdaLR: two layer groups</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Last trained</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Last validation accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer by layer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layered training, one expression a group; or any curve you can write.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Learning rate in force</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Learning rate of {group}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Learning rates of groups</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Learning-rate schedules: a tutorial</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Leave them out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Library</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Library settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Library settings…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Light</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LinearLR for {epochs} epochs, then this schedule in those that are left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load the run; training goes on when you press Start.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading PyTorch and the network…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading PyTorch…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Log</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Logarithmic axis</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Logarithmic vertical axis</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Long runs: each restart shakes the weights out of where they settled.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Look ahead along the momentum; needs momentum and no dampening.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loss</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loss limit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loss over learning rate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lowest momentum, where the rate is highest.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lowest rate, where each cycle begins.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lowest rate.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lowest validation loss</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make it anew</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make the index anew? Names, notes and tags stay, runs that only their snapshots know come in.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make the run this long, at the next batch.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Milestone</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Milestone {first} is beyond the run's end</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Mirror half of the training images, left to right. Not for digits and letters.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Modules</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Moments before your acts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>More</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>More settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move momentum (or the first beta) against the rate.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move stage {number} down</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move stage {number} up</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Moves the rate in a straight line from start_factor to end_factor of it, in total_iters epochs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MultiStepLR: a tenth at epochs 15, 30 and 45</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Multiplied after every epoch, {gamma} leaves {percent}% of the LR in epoch {epochs}: {lr}. A gamma from 0.95 to 0.99 is usual.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Multiplies each group's rate by an expression in ``epoch`` (0 before the first epoch).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Multiplies the rate by factor until total_iters epochs are completed; from there on it is the rate itself.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Multiplies the rate by gamma after every epoch.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Multiplies the rate by gamma every step_size epochs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Multiplies the rate by gamma when the number of completed epochs reaches a milestone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Multiplies the rate in force by an expression in ``epoch`` after every epoch; each factor stays.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>My own function…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name of the run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New learning rate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New learning rate, on a logarithmic scale</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New schedule from here: {schedule}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New schedule, as if from epoch 1: {schedule}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Newest epoch ends</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No better val loss for {epochs} epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No epoch has ended yet.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No epoch of it has ended yet.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No run matches.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No snapshot stands there: the way to it is computed again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not again in this run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not before {name}: PyTorch gives it no metric within another schedule.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not compared: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not copied: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not deleted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not exported: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not gone back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not gone back: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not imported</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not made anew</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not noted: the run has ended. Continue it, and note then.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not noted: this act was undone when the run went back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not now</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not on this machine yet. Press Download, or put the set's files into {folder}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not opened</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not possible here: only {names} have pretrained weights.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not possible yet: {why}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not removed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not saved: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not started</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not within another schedule: PyTorch gives it no metric there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Note</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Note: {remark}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Note…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing is changed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing is changed. Type another number of epochs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing is changed. Type another value above.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing would be left to train.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Of exp_range: what the height is multiplied by at every step.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>On plan</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One cycle for the whole run: up to max_lr, then down to far below the start. Its steps are those of the run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One expression and a rate of its own for each group give the same curves, and any schedule can follow them. A list is for curves of different shapes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One expression, and a rate a group</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One for each group</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One group</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One schedule after another: each begins anew, on the base rate, when its milestone is reached.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One stage must stay.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>OneCycleLR begins with a warm-up of its own.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only a change of the LR can be put back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a recipe or a snapshot</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a recipe or a snapshot from a file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open the folder of its snapshots</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Optimizer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Optimizer, for {group}: {changes}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Optimizer, groups, schedule and a training loop, ready to paste</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Optimizer, groups, schedule and a training loop, ready to paste (Ctrl+Shift+C)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Optimizer: {changes}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ordered: the epoch decides</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pairs of epochs completed since it began, and the rate there: [[0, 0.1], [30, 0.001]].</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Parameter group</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Parameter groups</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Parameter groups with rates of their own.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Passes over the training images.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Past T_max the cosine climbs back as slowly as it fell. If one landing is meant, make T_max {length}. If fresh starts are meant, CosineAnnealingWarmRestarts jumps back up at once.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Patterns of module names: fc, layer4.*, features.[0-3]*.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Patterns…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pause</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Paused</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Plan: {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Plan: {name}, level to the end</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Plan: {name}, {lr} from epoch {epoch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Plan: {name}. {what}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Points of the curve</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Policy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Precision</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pretrained</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pretrained, with one LR for all layers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Progress of the run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pull of the weights towards 0.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Put back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Put into the bin, from which it can be restored (Del)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Put the LR back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Put the LR back, from now on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PyTorch code…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PyTorch could not be loaded: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PyTorch did not load</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PyTorch starts a SequentialLR that has a OneCycleLR in it from that one's first rate, max_lr / div_factor, and not from the base rate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Python files (*.py)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>RMSprop cannot take up momentum in mid-run: it keeps no momentum buffer when it starts without</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rates tried</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Read the index and every snapshot to the last byte</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reading {file}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ready</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rebuild the index from the snapshots…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipe and hand, to replay…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipe: the same in all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipe: what differs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipes (*.json)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipes and snapshots (*.json *.tiller);;All files (*)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Redo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Redo: {what}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>ReduceLROnPlateau: half when nothing improves</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Refused: {act} ({reason})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove for good</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove for good…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove group {number}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove stage {number}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove the chosen points (Delete)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove this group; its modules go to the rest</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove with all snapshots. It cannot be brought back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove {n} runs with all their snapshots? They cannot be brought back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Restore</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Restored.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Resume</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Resume with the weights as they are; the bad update was not made.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Return to the road that was left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Run 1 epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Runs in the bin have to be restored first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save PyTorch code</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save a snapshot</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save a snapshot as {path}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save and end the run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save and end the run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save and leave</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save as</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save as…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save into a file of your choice</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save the table</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save the whole state of the run; before the start, the recipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Saved as {path}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Schedule</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Schedule of {group}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Schedule: change not applied yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Schedule: {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Schedules</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search for a rate, on a copy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search names, tags, notes, data, networks, schedules</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search the runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Seed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sent. It acts at the next batch.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sent: it begins with epoch {epoch}. Drop takes it back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Set</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Set the LR to what it was before this act.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Set the {lr} to {to}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Set the {lr} to {to} and keep it there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Set the {lr} to {to}, keeping the curve's shape</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Set {field} to {value}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings that are rarely changed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Several schedules at once: each multiplies what the others made of the rate.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Share of the last step kept.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Share of the run in which the rate rises.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shift each training image by up to an eighth of its size at random: a crop of the padded image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show in the file manager</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the library's folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the whole run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the whole run (or double-click a plot)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the whole run (or double-click the plot)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side in pixels of a square that is blanked at a random place of each training image; 0 for none.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Simple and strong with momentum 0.9; start near 0.01.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Simple tasks whose good moments to cut are known.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Simple tasks: fast first, then slower in even stages.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Since epoch {epoch} the validation loss rose from {low} to {high} while the training loss fell: the network learns the training images by heart. More weight decay or augmentation helps, or the weights of that epoch.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Size of a step.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smooth</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smoothing of the batch loss: {factor}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Snap to epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Snapshot kept where the run was left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Snapshots (*.tiller)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Snapshots (*.tiller);;All files (*)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>So many epochs only the last layers learn; then the backbone does as well.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>So many epochs the group stays frozen; then it trains as well. Empty: it stays frozen.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Something went wrong in the window: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Source: {docs}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stage the LR again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stage the schedule again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stage {number}: {kind}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stage {stage}: {text}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stand still after the batch under way (Space).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start from torchvision's ImageNet weights (resnet18, vgg11_bn).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start or pause</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start with LR {first}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start with batches of {n}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start, pause or resume</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Starting the download…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>State</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Steer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Step once per epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>StepLR is enough for a task this simple</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>StepLR: half the LR every 10 epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stepped once per</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Steps</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Steps (epochs, where it is stepped once an epoch) from base_lr up to max_lr.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Steps from max_lr down again; empty: as many as up.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Steps this large lead away from what was learned. A lower LR often brings it back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stochastic gradient descent, with momentum.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop and save the run, and set up a new one? It can be continued later.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop and save the run, then leave? It can be continued later, exactly where it was.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop and save the run, then open {name}? It can be continued later.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop and save the run, then return to {name}? It can be continued later.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopped in epoch {epoch} of {epochs}, and saved.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>T_0</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>T_max</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>T_max {t_max} is beyond the run's end</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>T_mult</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Table of the epochs (CSV)…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tables (*.csv)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tag</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tags</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take back what waits for its moment</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take out of the bin</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take the run up exactly where it was left (Enter)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take this schedule</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take {name} into the editor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Taken back: {act}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Takes a few seconds.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Takes the rate down to 0 in total_iters epochs: in a straight line with power 1, along a bow with more.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>That is more than a million times the LR in force. Choose one group.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The LR is 0, and no factor lifts it. Type a rate instead.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The LR is on the plan already.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The LR is {times} times the finder's {lr}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The LR starts at {lr}, and is never cut below min_lr: nothing will happen.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The LR stays as it is until you go back to the plan.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The LR stays the same for the whole run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The axis on which the lines are straight: log (equal factors in equal times) or linear.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The best by</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The best validation accuracy of all epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The bin is empty.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The curve is followed again, from {lr}, at the next batch.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The curves are drawn here while the network learns. Space pauses.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The data set is being fetched.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The data set is there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The download was cancelled.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The epochs in all, at least {least}. Type another number: Enter applies it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The expression gives the LR itself, of all groups; each can have a line of its own.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The expression gives the LR itself: a factor before it would mean another LR.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The expression gives the LR itself: the base is 1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The factor after each epoch, such as 0.9 if epoch &lt; 10 else 0.99: one expression, or one per group.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The finder suggested a LR {times} times higher</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The first rate is max_lr divided by this.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The first rate to try, usually 1e-7 to 1e-5.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The floor of the curve becomes {floor}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The folder that holds the data set, in torchvision's layout (MNIST/raw/...).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The group's own rate; empty: the optimizer's.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The group's own schedule.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The groups differ here. Choose one of them above.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The groups' curves differ by a factor alone</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The last good state is {place}, 1 batch back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The last good state is {place}, {n} batches back.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The last rate is the first one divided by this.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The last rate to try, usually 1 to 10. The search ends early where the loss diverges.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The learning rate of the newest epoch; of the first group where there are several</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The library cannot be read: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The library is sound: its index, and {n} snapshots to the last byte.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The library keeps snapshots by the new settings from now on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The log keeps {most} lines; the oldest {n} were left out.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The loss barely moves: LR too low?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The loss diverged after {count} of {steps} steps, too soon to see a fall; begin with a lower rate.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The loss diverged. Go back or resume, and search then.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The loss does not clearly fall between {low} and {high}: by {fall}, while it differs by {scatter} from batch to batch. Try other limits or more steps.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The loss jumps about: LR too high?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The loss of every batch appears here once training starts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The loss over the rates that are tried appears here</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The loss stands still</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The loss was not finite at the very first rate; begin lower.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The lowest validation loss of all epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The metric that must improve.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The metric that says which epoch was best</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The milestone: so many are completed when the next stage takes over, from its own beginning.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The multiplier of the learning rate, such as 0.95**epoch: one expression, or one per group.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The new schedule counts from now, on the LR in force</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The new schedule goes on as if it had been there from epoch 1, on the recipe's LR</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The plan is 0 here, so its curve has no shape to keep.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The plan is 0 here, so there is no factor.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The plan takes it below a ten-thousandth of where it was: the last {left} epochs change nothing.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The plan's curve goes on in its shape, from the new level.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The plan's own LR</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The plan's own LR from the next batch on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The plan's {plan} → {new}: Enter applies, Escape drops.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The planned learning rate appears here, and what was in force once training starts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The pretrained layers know much already, and large steps wash it out. Their usual LR is 10 to 100 times lower than that of the new head.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The rate is never cut below this.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The rate is that of {group}, the fastest group; the others keep their proportion.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run ends after {length}, before the first cut: the LR stays the same throughout.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run ends after {length}, with the LR still at {lr}: there is no gentle landing. Make T_max the length of the run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run ends after {length}. A cut at milestones from {length} on never comes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run ends after {length}. The schedules from there on never come.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run failed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run has ended.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run has ended. New sets up another one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run is being loaded.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run stands there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run stays in the library and can be continued later.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run's name; click to change it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run: {state}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same rate in every epoch: no schedule at all.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The schedule is not finished: see the schedule's form.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The schedule is stepped once per batch, and the run has {length} of them: {per_epoch} an epoch. What was meant for epochs is over {per_epoch} times as soon.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The schedule of {group} was made for {epochs} epochs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The schedule was made for {epochs} epochs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The schedule's expression gives the LR itself, so it multiplies 1. Change that in the schedule.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The schedule's expression gives the LR itself.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The schedules that it is made of, in order.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The search was called off.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The search was called off: the run begins.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The steepest descent: here the smoothed loss falls fastest as the rate grows. It is the bolder choice.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The training loss is growing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The training loss is where it was after epoch 1. With a LR this high the first steps may have been so large that nothing can be learned any more: begin anew with a lower one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The training loss moved by {share}% since epoch 1. A LR that is too low looks like this.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The valley: the middle of the longest stretch of rates over which the smoothed loss keeps falling. It is the steadier choice.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The very beginning</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Theme</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no library: runs are not kept.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no run under way.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no run yet.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no run yet: Start begins one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no run yet; Save writes the recipe.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is nothing to redo.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is nothing to undo.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>They stay on the plots as a faint line, and in the library as a run of its own.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>They stay on the plots as a faint line. There is no library to keep them in.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This one is kept already; change something and compare again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This run is the one in the window.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This schedule brings its own rates: set them there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tiller ended unexpectedly in the middle of {name}, epoch {epoch} of {epochs}. Continue?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tiller {version}. Training with a hand on the learning rate.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tiller's folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time left at the present pace.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time trained</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>To</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Train for {epochs} epochs in all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Train on from the newest snapshot, exactly as it would have gone on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Train one epoch, then pause</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Train one epoch, then pause.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Train to the end of this epoch, then pause.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Train {group} again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Training</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Training images a second, validation left out.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Training is under way</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try rates on a copy of the run and see which suit it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try rates on a copy of the run and see which suit it. The run is untouched.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Turn this curve into points to drag on the plot</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Two files from which main.py train makes the same weights again, bit for bit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Two groups: head {fast}, rest {rest}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Two rules together: a warm-up over a decay, cuts on top of a cosine.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Type a learning rate, such as 0.001 or 1e-3.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Type a rate or drag the slider, then apply.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Under way</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo what is staged</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo: {act}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo: {act}…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unfreeze after epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unfrozen on the way</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Update all weights in one call: a little faster, with other last digits.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use this</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use {rate}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Val accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Val loss</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Val loss since</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Validation worsens, training improves</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Waiting…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Warm up first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Warn above</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Watch val_loss instead</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Weight decay, momentum and the like, to be changed while the run trains.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Weights, optimizer state and BatchNorm statistics of a frozen group stand still.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Went back; from here on this is a new branch, {run}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What all snapshots may take together before you are told; 0: anything</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What differs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What happened</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What happened, line by line (Ctrl+L)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What it is multiplied by once total_iters epochs are completed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What it was doing then is noted in {path}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What its snapshots take on the disk</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the LR does from here on: now “{now}”.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the LR of {group} does</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the expression gives</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the group is called.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the plan's LR ({plan}) is multiplied by. Type another: Enter applies it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the rate is multiplied by at first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the rate is multiplied by in the first epoch.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the x of scale_fn counts: cycles, from 1, or steps, from 0.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What you do, what the plan does and what is saved will stand here.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>When no single rate is known to be good: it visits them all, again and again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>When to apply</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where runs are missing that have snapshots</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where the new schedule begins; empty: the LR in force. Allowed: 0 to 1000.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Whether the rate moves along a cosine or a straight line.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Whether the schedule moves on after every epoch or after every optimizer step (batch), as it was made to.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Whether the schedule moves on after every epoch or after every optimizer step (batch).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Which snapshots are kept</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Which snapshots are kept, and how much of them</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Whose schedule to edit: that of all groups, or one group's own</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Why: {advice}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Why?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>With All, the groups are scaled together and keep their proportions.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>With more epochs the plan goes on at {lr}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Within a SequentialLR it can only come first: PyTorch cannot begin it later.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Within long epochs, every</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Words to find a run by, with commas between; double-click to edit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a field above is wrong</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a multiplier of the LR</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a schedule that starts from a rate of 0 stays at 0; give the rate to start from</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a snapshot could not be saved: {error}; training goes on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>all are frozen, so nothing would be trained; leave one of them not frozen</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>alpha</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>amsgrad</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>anneal_strategy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>another program keeps the index locked</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>as if from epoch 1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>at its floor: no further cut</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>at least {bound}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>at most {bound}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>at the next batch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>at the next epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>at the start of epoch {epoch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>auto chose cuda:0 ({gpu})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>auto chose the CPU: PyTorch finds no CUDA GPU here</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>auto takes the first CUDA GPU, or the CPU where there is none.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>base_lr</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>base_lr + (max_lr - base_lr) × height of the triangle, 0 to 1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>base_momentum</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>batch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>batch {batch} of {count}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>batch {batch}/{batches}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>before batch {batch} of epoch {epoch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>betas</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>building {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>centered</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>changed by hand</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>computed again, epoch {epoch} differs in its last digits from what was recorded: something here has no deterministic form, or was made by another version</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>cooldown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>cuda:0</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>cuda:{index} ({gpu})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>cycle_momentum</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>cycle_momentum: RMSprop cannot take up momentum in mid-run, because it keeps no buffer for it when it starts without; set cycle_momentum to false</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>dampening</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>differs by group: {values}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>div_factor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>divides by zero</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>each batch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>earlier groups own all that it matches</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>end_factor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>ends at {lr}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>epoch is 0 before the first epoch. For example: 0.95**epoch, or 1 if epoch &lt; 10 else 0.1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>epoch {epoch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>epoch {epoch}, batch {batch}: {act}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>epoch {least} is reached already</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>epoch {least} is reached already; epochs must be at least that</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>eps</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>eta_min</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>eta_min + (lr - eta_min) (1 + cos(π (n-1) / T_max)) / 2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>eta_min + (lr - eta_min) (1 + cos(π T_cur / T_i)) / 2, T_i = T_0, T_0 T_mult, ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>factor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>final_div_factor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>first cut after epoch {epoch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>float16 is for GPUs: on a CPU it is many times slower than float32, and bfloat16 is meant for it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>float16: the gradients overflowed in epoch {epoch}, batch {batch}, as they do now and then; that update was not made, and losses are scaled by {scale} from here on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>float32 is exact. bfloat16 and float16 compute the network in half the bits: faster where the hardware has it. tf32 lets an NVIDIA GPU multiply with 10 bits of mantissa, and does nothing on a CPU; float16 is for GPUs too, and scales its losses.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>fused</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>gamma</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>gamma {gamma} leaves {percent}% of the LR</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>give a recipe or --resume, not both</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>gives a complex number</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>gives a number that is not finite</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>gives a number that is too large</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>going back was called off</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>group {group} is {how} already</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>group {n}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>has a rate of 0, which a log axis cannot show; set scale to linear</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>held</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>here</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>in force</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>is nested too deeply</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>is not JSON: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>is required</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>is required, such as {"epoch": 4, "batch": 0}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it can be unfrozen after epoch 1 to {last}, the last but one</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it does not wait any more</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it has a label {label}; labels go from 0 to 9</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it is cut off: its header has {size} bytes, not {expected}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it is cut off: {size} of {expected} bytes are there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it is longer than its header says ({expected} bytes)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it is not a whole gzip file ({reason})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it is not an IDX file of bytes in {dims} dimension(s): it begins with {magic}, not {expected}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>its compressed data is cut off or damaged</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>its header gives sizes that cannot be: {sizes}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>its images are {size} pixels, not 28 x 28</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>its index or folder is gone; snapshots are saved all the same, and found again when Tiller starts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>just before “{act}” (epoch {epoch}, batch {batch})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>just now</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>leave the group without parameters: what matches has none, or earlier groups own them</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>less than {bound}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>loading {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr lists {given} rates for {wanted} group(s)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr × (1 - min(n-1, total_iters) / total_iters)^power</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr × (start_factor + (end_factor - start_factor) min(1, (n-1) / total_iters))</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr × factor after patience + 1 epochs without a better metric</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr × factor while n-1 &lt; total_iters, then lr</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr × gamma^(milestones ≤ n-1)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr × gamma^(n-1)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr × gamma^⌊(n-1) / step_size⌋</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr × the factors of all schedulers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr × your expression in epoch, which is n-1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lr_lambda</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>made with {what} {then}, resumed with {now}: the results may differ in their last bits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>max_lr</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>max_lr / div_factor up to max_lr, then down to max_lr / div_factor / final_div_factor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>max_lr is below base_lr: each cycle goes down first, below where it starts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>max_momentum</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>max_momentum is below base_momentum: momentum moves with the rate, not against it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>memory ran out: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>milestone {count} = epoch {epoch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>milestones</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>milestones {counts} = epochs {epochs}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>min: smaller is better (a loss). max: larger is better (an accuracy).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>min_lr</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>min_lr {min_lr} forbids every cut</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>mode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>modules {names}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>momentum</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>monitor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>more than {bound}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>moved by the schedule</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be 'epoch' here: the metric is measured once an epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be a finite number</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be a list</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be a number</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be a whole number</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be an object such as {"at": {"epoch": 4}, "command": "set_lr", "lr": 0.05}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be an object with named fields</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be at least {ge}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be at most {le}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be greater than {gt}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be less than {lt}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be text</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be true or false</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must be {expected}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must have at least {min_length} item(s)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must have at most {max_length} characters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must have at most {max_length} item(s)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must not be empty</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>must not be empty; only a note about an act is taken back by an empty one</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>needs a momentum above 0 and a dampening of 0</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>nesterov</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>nesterov needs a momentum above 0 and a dampening of 0</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>net.py:make</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>never</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no group {group!r}; the groups are {names}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no limit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no reason was given</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no search for a rate is under way</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no snapshot of the run can be read: it is trained again, from its recipe and hand</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>none</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not finished</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not saved: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>nothing is being computed again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>number {n}: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>off</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>patience</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>patience {patience}: the LR is never cut</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>pct_start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>pending</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>plan</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>power</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>rate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>reading the snapshot</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>reading the snapshots</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>rel: threshold is a share of the best value. abs: it is an amount.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>road left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>run {run} is under way{owner}: stop it there first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>scale</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>scale_fn</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>scale_mode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>schedulers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>schedulers[i], counted from milestones[i-1] on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>since this change: val loss {moved}, accuracy {points} points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>smooth</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>smoothed loss</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>snapshots are saved again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>start_factor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>steepest descent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>step {step}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>step_size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>step_size {size}: the first cut never comes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>step_size_down</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>step_size_up</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>stopped while loading</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>tf32 does nothing on a CPU: it is float32 there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>that run is not in the library any more</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the CPU</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the LR in force, {lr}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the LR itself</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the batch of {images} images through {what} did not fit into the memory of {where}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the data is not there: {files} not found in {folder} (root is {root}). Fetch it with --download (in the window: Download), or, offline, put the files into {folder}, or name another folder as root</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the data set {what} did not fit into the memory of {where}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the digits come with scikit-learn, which is not installed whole</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the disk does not answer as it should (input/output error)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the disk is full: free some space</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the disk is slow, and {size} wait for it already</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the end of epoch {epoch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the expression is empty; for example: 0.95**epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the factor must be more than 0 and at most 1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the file would be larger than this process or disk may have</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the folder is read-only: make it writable, or choose another library</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the gradients were too large for float16 in epoch {epoch}, batch {batch}, unscaled as they are; that update was not made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the index is damaged: it is made anew when Tiller starts again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the index is damaged: make it anew from the snapshots</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the last rate × your expression in epoch, which is n-1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the library's index was damaged and was made anew; the damaged file is kept as {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the library's index was gone and was made anew from its copy and the snapshots</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the library's index was gone and was made anew from {count} snapshots, without tags and notes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the library's index was made anew; the old one is kept as {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the loss diverged: go back or resume, and search then</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the loss diverged: go back, lower the rate, or resume</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the loss of epoch {epoch} is not finite</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the loss was not finite in epoch {epoch}, batch {batch}; that update was not made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the loss was {loss} in epoch {epoch}, batch {batch}, above the limit of {limit}; that update was not made</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the network that {function} returns has no parameters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the network {what} did not fit into the memory of {where}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the note is about an act before batch {batch} of epoch {epoch}, and there is none</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the number is too large</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the optimizer's</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the plan is 0 here (group {group}), so there is no shape to keep; hold the rate instead</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the points (epochs completed, lr), joined by straight lines or smoothly</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the quota of this disk is used up: free some space</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the rate follows the plan already</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the rate of group {group} is 0, which no factor changes; set a value</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the rate would be {lr}; the largest allowed is {largest}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the rest of the curve rises to {highest}, more than twice the {now} set now; hold the rate or choose a new schedule to avoid that</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run ended</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run has ended</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run has failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run has finished</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run has not started</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run has {epochs} epochs already</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run is at its end (epoch {epochs}); raise the number of epochs first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run is paused</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run is still loading</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run is training already</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run library cannot be read: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run library could not be written: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run library is written again, with all that had to wait</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run was stopped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the schedule cannot be used: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the schedule of group {group} does not reach the new end ({problem}) and keeps its last rate from there; choose one that fits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the search failed at the rate {lr}: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the search trains a copy of the network, and this one cannot be copied: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the search was called off</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the snapshots take {taken}, more than the {limit} that they may: delete runs and empty the bin</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the validation loss of epoch {epoch} is {loss}, above the limit of {limit}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the very beginning</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the weights are not there: {file} in {folder} ({reason}). Fetch them with --download (in the window: Download), or, offline, put the file into {folder}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the {schedule} of group {group} moves {name} itself; choose a schedule that does not, or set its cycle_momentum to false</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>there is no batch {batch}: an epoch has batches 0 to {last}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>there is no file {path}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>there is no library to save into; name a file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>there is no run {run} in {root}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>this machine</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>three_phase</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>threshold</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>threshold {threshold} is never reached</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>threshold_mode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>torchvision's random operations on each training image, for images of 32 pixels and more: RandAugment (two of moderate strength) or TrivialAugment (one of any strength).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>total_iters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>train</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>training</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>training accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>training loss</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>triangular: equal cycles. triangular2: each half as high. exp_range: height times gamma^steps.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>until after epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>until the next change: val loss {moved}, accuracy {points} points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>using {threads} threads, as the run began with, instead of {now}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>usually {low} to {high}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>val</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>validating…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>validation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>validation accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>validation loss</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>valley</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>waiting for the search for a rate to end</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>weight_decay</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>what it matches is shown once the network is built</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>why?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>with group {group} frozen too, nothing would be left to train</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>with one epoch nothing can be unfrozen on the way</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>withdrawn</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>yes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>yesterday</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{act} (at the next batch)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{act}, keeping the curve's shape</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{act}, kept there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{act}. Note: {warning}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{act}: sent, acts at the next batch.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{act}: under way…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{act}: waits for the validation to end.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{act}: {moves}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{advice}. {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{bad} snapshots are damaged or gone, {n} are sound.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{changes}, at the next batch (Enter).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} older snapshots of the run cannot be read either</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} rates tried in epoch {epoch}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{data} with {network} is soon learned: a few cuts at times you know are easy to read and to compare. {name} is no mistake.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{data}, {network}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{days} d {hours} h</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{day} {month}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{day} {month} {year}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{done} of {total} rates tried</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{epochs} epochs: {lr}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{field} {count} = epoch {epoch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{field}: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{field}: {text}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} is in the library, as run {run}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{first} and {second}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{function} must return an nn.Module; it returned {kind}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{glance}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{group} after epoch {epoch}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{group} is on the schedule of all groups; a change gives it its own.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{group} {old} → {new} at the next batch, the others in proportion.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{group}: {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{group}: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{group}: {schedule}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{group}: {text}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{images} has {n} images but {labels} has {m} labels, in {folder}; they do not belong together</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{images} validation images at a time through {what} did not fit into the memory of {where}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{kind} has no {name}; it has {has}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{left} to go</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{letter}: {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{line}, frozen at first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{line}. Note: {warning}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{listed} expressions for {count} group(s); give one, or one per group</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{loss} in 1 epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{loss} in {epochs} epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{low} – {high}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{lr} back to plan</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{lr} back to plan: {moves}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{lr} will be kept from the next batch on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{lr} ×{factor}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{lr}, kept</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{modules}, {n} parameters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{monitor} cannot improve any more</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{monitor} is better when it is {better}, but mode is {mode}: the rate would be cut while training improves. Set mode to {natural}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{monitor} would have to get better by {threshold} at once to count as better, so every epoch counts as bad and the LR is cut again and again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{names} end at {lr}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} ({run})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} cannot be written to {folder}: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} could not be downloaded ({failures}). Try again later, or, offline, put {name} into {folder}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} counts batches, not epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} differs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} ends at {lr}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} is taken; choose another</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} is used twice</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} must turn images {shape} into scores {expected}; it gave {gave}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} needs images of 4 x 4 pixels or more, not {size}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} says itself which LR it starts from.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} {rate}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}, LR {lr}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}, augmented</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}, epoch {done} of {epochs}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}, given images {shape},</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}. {formula}. {when}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}: {file} cannot be read: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}: {file} is damaged</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}: {file} is gone</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}: {what}, LR {lr}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{number}. {title}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} are compared already; remove one first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} epochs are left behind. {kept}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} hours ago</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} images/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} minutes ago</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} modules</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} of {all} held</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} parameters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} runs are in the bin.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} runs are removed for good.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} runs are restored.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} runs, {size}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} runs, {size} of {limit}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{old} → {new}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{old} → {new} at the next batch.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{old} → {new} epochs: Enter applies, Escape drops.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{old} → {new}: Enter applies, Escape drops.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{operator} has no deterministic form here: a resumed run may differ in its last bits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{optimizer}: {values}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{path} cannot be made: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{path} cannot be read: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{path} has no function {function}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{path} is damaged: its name gives another sha256. Delete it and fetch it anew with --download</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{path} is damaged: {reason}. Replace it, or fetch it anew with --download (in the window: Download)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{path} is not there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{pattern} matches no module</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{plan}. Choose another for this group…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{problem} The run is not kept.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{problem}; the run goes on from what was saved before</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{root} cannot be used: {reason}; choose another with --library</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{schedule} moves it itself. Choose a schedule that does not, or set its cycle_momentum to off.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{schedule} says itself which rate it starts from, so no lr can be given; set its own fields and leave lr out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{schedule} {old} -&gt; {new}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{schedule} {old} -&gt; {new} in the plan; the rate stays held</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{schedule} {old} -&gt; {new}: nothing better than {best} for {bad} epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{size}, more than {limit}: delete runs and empty the bin</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{target} is not behind: the run is at {now}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{text} total_steps is {n}, worked out from the run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{text}: {size} more were asked for</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{tried} It ended early: the loss diverged.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{value} (not found here)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{value} in epoch {n}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{what} A run goes on from its newest sound one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{what} raised at line {line}: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{what} raised {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{what}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{what}: {done} of {total}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{what}: {problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{where}{problem}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{why}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{words}, for {group}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>×{factor}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>×{factor} after {n} epochs in which {metric} is no better</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>×{factor} after {n} more epochs with {metric} not above {limit} ({bad} bad of {patience})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>×{factor} after {n} more epochs with {metric} not below {limit} ({bad} bad of {patience})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>×{factor} of plan</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>– images/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{name}” is in the bin.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{name}” is in the bin: restore it first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{name}” is under way in another window or program: stop it there first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{name}” is under way in another window or program: stop it there first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{name}” is under way: end it first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{name}” is under way: stop it first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{typed}” is not a number. Write a factor as 0.5 or 2.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{typed}” is not a number. Write it as 0.001 or 1e-3.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>↓ after epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>↓ after step</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
