"""The history of a training as a file that TensorBoard reads; TensorBoard need not be installed."""

from pathlib import Path

from keras_gen._util.files import atomic_write

EVENTS = "events.out.tfevents.history"  # TensorBoard looks for `tfevents` in a file's name


def write_events(history: list[dict], directory: Path) -> None:
    """Write the rounds of a training as TensorBoard events.

    Args:
        history: one dict a round, as `loop.train` returns them.
        directory: the training's directory.
    """
    import tensorflow as tf

    summary = tf.compat.v1.Summary

    def write(path):
        with tf.io.TFRecordWriter(path) as file:
            file.write(tf.compat.v1.Event(file_version="brain.Event:2").SerializeToString())
            for row in history:
                values = [summary.Value(tag=key, simple_value=value) for key, value in row.items()]
                event = tf.compat.v1.Event(
                    step=row["step"],
                    wall_time=60 * row.get("minutes", 0),
                    summary=summary(value=values),
                )
                file.write(event.SerializeToString())

    atomic_write(directory / EVENTS, write)
