"""Command lines that several tests use."""


def tiny_training(pictures, out, *options):
    """The arguments of a training of two steps on pictures of a user."""
    arguments = ["--scale=2", "--filters=8", "--blocks=0", "--batch-size=2", "--steps=2"]
    return ["train", "simple", "--data", pictures, "--out", out, *arguments, *options]
