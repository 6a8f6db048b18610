"""The dice of the random models: choices, layers, and the notes of what was chosen."""

FLOAT = {"dtype": "float64"}


class UnfitError(Exception):
    """This layer does not fit here."""


class Choices:
    """Random choices; `random` is a NumPy generator, `steps` the notes of what was chosen."""

    def integer(self, low, high):
        return int(self.random.integers(low, high + 1))

    def pick(self, *choices):
        return choices[self.integer(0, len(choices) - 1)]

    def pair(self, low, high):
        return self.integer(low, high), self.integer(low, high)

    def note(self, *values, **named):
        """Write down what was chosen, to describe a failing model."""
        named = [f"{key}={value}" for key, value in named.items()]
        self.steps[-1] += " " + ", ".join([*map(str, values), *named])

    def layer(self, kind, *args, **options):
        self.note(kind.__name__, *args, **options)
        return kind(*args, **options, **FLOAT)

    def activation(self):
        return self.pick(None, "relu", "leaky_relu") if self.positive else self.pick(None, "tanh")

    def small(self, x, area):
        """Keep decoders from growing without limit."""
        if x.shape[1] * x.shape[2] > area:
            raise UnfitError
        return x
