"""Which events of a run may be delivered late, several at once."""

from __future__ import annotations

from typing import Final

from engine.messages.events import EpochEvent, Event, LREvent, SavedEvent, StateEvent, StepsEvent

_FREQUENT: Final = (StepsEvent, EpochEvent, SavedEvent)


class RoutineEvents:
    """Tells the routine events of one run from those that must be delivered at once.

    Routine events are batches, epochs and checkpoints while the run trains, and an ``LREvent`` that only such events
    have preceded. An ``LREvent`` after anything else, such as the answer to an intervention, is not routine.
    """

    def __init__(self) -> None:
        self._training = False
        self._only_frequent = False  # whether only frequent events came since the last LREvent

    def includes(self, event: Event) -> bool:
        """Whether ``event`` is routine. To be called once with every event of the run, in order."""
        if isinstance(event, LREvent):
            routine, self._only_frequent = self._training and self._only_frequent, True
            return routine
        if isinstance(event, _FREQUENT):
            return self._training
        self._only_frequent = False
        if isinstance(event, StateEvent):
            self._training = event.state == "training"
        return False
