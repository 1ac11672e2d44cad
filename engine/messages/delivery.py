"""What a run comes to by itself, told apart from what somebody did or must hear of at once. Qt-free."""

from __future__ import annotations

from typing import Final

from engine.messages.events import EpochEvent, Event, LREvent, SavedEvent, StateEvent, StepsEvent

_MANY: Final = (StepsEvent, EpochEvent, SavedEvent)


class Routine:
    """Judges the events of one run, each once and in order: is it routine?

    Routine are batches, epochs and checkpoints while the run trains, and the rates that it came to by them alone. Rates
    after anything else, such as an answer to the hand, are news.
    """

    def __init__(self) -> None:
        self._training = False
        self._only_many = False  # whether nothing else came since the last rates

    def has(self, event: Event) -> bool:
        """Whether ``event``, the next one of the run, is routine."""
        if isinstance(event, LREvent):
            routine, self._only_many = self._training and self._only_many, True
            return routine
        if isinstance(event, _MANY):
            return self._training
        self._only_many = False
        if isinstance(event, StateEvent):
            self._training = event.state == "training"
        return False
