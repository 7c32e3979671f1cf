"""The trainer's exceptions.

TrainerError
├── CorpusError      a corpus is missing, incomplete or malformed
├── OptionsError     an option is outside its range
├── CheckpointError  a run cannot be resumed or exported
└── ExportError      a graph or the repository could not be written faithfully
"""


class TrainerError(Exception):
    """What a person using the trainer can do something about; shown without a traceback."""


class CorpusError(TrainerError):
    """A corpus is missing, incomplete or malformed."""


class OptionsError(TrainerError):
    """An option is outside its range."""


class CheckpointError(TrainerError):
    """A run cannot be resumed or exported."""


class ExportError(TrainerError):
    """A graph or the repository could not be written faithfully."""
