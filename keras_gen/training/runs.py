"""What every training is called with: its options, and where and how it runs."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from keras_gen._util import files, progress
from keras_gen.training import checkpoints
from keras_gen.training.options import TrainingOptions


@dataclass(frozen=True)
class Run:
    """Where and how a training runs.

    Attributes:
        directory: where everything is written.
        resume: whether to continue the training in `directory`.
        command: the command line, for the card.
        console: where progress is shown.
    """

    directory: Path
    resume: bool
    command: str
    console: Console

    def check(self, recorded: dict, may_change: tuple[str, ...] = ()) -> None:
        """Check, before any work is done, that the training can start or resume.

        Args:
            recorded: the options as `options.json` holds them.
            may_change: names of options that may differ from those it was started with.

        Raises:
            ValueError: as `checkpoints.check_directory` does.
        """
        checkpoints.check_directory(
            self.directory, resume=self.resume, options=recorded, may_change=may_change
        )


def training(options_class: type[TrainingOptions]) -> Callable:
    """Decorate `train(options, run)`, so that it can be called from Python and a command line.

    The result takes the options as a whole or field by field, and what a `Run` holds:

        train_simple(SimpleOptions(scale=4), directory="runs/x4")
        train_simple(scale=4, directory="runs/x4", resume=True)

    Args:
        options_class: the dataclass of the training's options.
    """

    def decorate(train):
        @functools.wraps(train)
        def with_run(
            options: TrainingOptions | None = None,
            *,
            directory: str | Path,
            resume: bool = False,
            command: str = "",
            console: Console | None = None,
            **fields,
        ) -> Path:
            console = console or progress.new_console()
            run = Run(files.expanded(directory), resume, command, console)
            return train(options or options_class(**fields), run)

        del with_run.__wrapped__  # so that its own parameters are shown, not those of `train`
        return with_run

    return decorate
