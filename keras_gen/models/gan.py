"""`GAN`: a generator and a discriminator that train each other, with a `train_step` of their own.

One step, from top to bottom:

    draw      latents, augmentation and noise, from the seed and the number of the step alone
    play      the generator draws once; the discriminator scores real and drawn images
    improve   each player follows the gradient of its own loss, in its own weights
    average   a second generator follows the first one slowly, and draws better
"""

import keras
from keras import Model, ops, random
from keras.saving import deserialize_keras_object, serialize_keras_object

from keras_gen._util.gradients import image_gradient, losses_and_gradients, stateless_under_jax
from keras_gen.models import gan_losses
from keras_gen.models.augmentation import augment, augmentation_parameters, check_kinds

LN_2 = 0.6931471805599453


METRICS = (
    *("generator_loss", "discriminator_loss", "penalty", "real_score", "fake_score", "gap"),
    *("discriminator_advantage", "generator_gradient", "discriminator_gradient"),
    "l1",  # where there is a partner to compare with
)


@keras.saving.register_keras_serializable(package="keras_gen")
class GAN(Model):
    """A generator and a discriminator, compiled, fitted, saved and loaded as any Keras model.

    With a generator that takes a vector it is unconditional: `fit` takes images. With one that
    takes an image it is conditional (pix2pix, Isola et al. 2017): `fit` takes pairs (given, image),
    the discriminator takes `[given, image]`, and `l1_weight` draws the image towards its partner.

    Args:
        generator: maps latents `(batch, latent_dim)`, or images, to images in 0 … 1.
        discriminator: maps images, or `[given, image]`, to scores of any shape.
        loss: one of the keys of `gan_losses.GAN_LOSSES`.
        penalty: one of the keys of `gan_losses.PENALTIES`: keeps the discriminator's slope small.
        gamma: strength of the penalty.
        sigma: standard deviation of the noise of the first-order penalty. The discriminator learns
            to overlook differences that are smaller, so it belongs below the finest detail.
        noise: its kind, one of the keys of `gan_losses.NOISES`.
        augmentation: keys of `augmentation.AUGMENTATIONS`; a condition is moved with its image.
        l1_weight: weight of the mean absolute error in the generator's loss (conditional only).
        ema_half_life: images after which a weight has lost half its part in the average.
        ema_rampup: early on the half-life is this share of the images seen so far, so that
            the average does not hold on to the start (Karras et al. 2022).
        seed: seed of everything random in training.
        name: the model's name.

    Attributes:
        averaged_generator: the generator with the exponential moving average of its weights; it is
            what the model itself calls.

    Raises:
        ValueError: for an unknown loss, penalty, noise or augmentation, or networks that do not
            fit.

    Example:
        gan = GAN(gan_generator(size=400), gan_discriminator((400, 400, 3)))
        gan.compile()
        gan.fit(images)  # batches of float32 (batch, 400, 400, 3) in 0 … 1
        drawn = gan(keras.random.normal((16, 128)))
    """

    def __init__(
        self,
        generator: Model,
        discriminator: Model,
        *,
        loss: str = "relativistic",
        penalty: str = "first_order",
        gamma: float = 0.1,
        sigma: float = 0.05,
        noise: str = "white",
        augmentation: tuple[str, ...] = ("translation",),
        l1_weight: float = 0.0,
        ema_half_life: float = 1000.0,
        ema_rampup: float = 0.25,
        seed: int = 0,
        name: str = "gan",
    ):
        super().__init__(name=name)
        gan_losses.gan_loss(loss)
        if penalty not in gan_losses.PENALTIES:
            known = ", ".join(map(repr, gan_losses.PENALTIES))
            raise ValueError(f"penalty {penalty!r} is unknown; choose one of {known}")
        gan_losses.check_noise(noise)
        check_kinds(augmentation)
        self.options = {
            "loss": loss,
            "penalty": penalty,
            "gamma": gamma,
            "sigma": sigma,
            "noise": noise,
            "augmentation": tuple(augmentation),
            "l1_weight": l1_weight,
            "ema_half_life": ema_half_life,
            "ema_rampup": ema_rampup,
            "seed": seed,
        }
        self.conditional = len(generator.input_shape) == 4
        _check_networks(generator, discriminator, self.conditional, l1_weight)
        self.generator = generator
        self.discriminator = discriminator
        self.averaged_generator = Model.from_config(generator.get_config())
        self.averaged_generator.set_weights(generator.get_weights())
        self.averaged_generator.trainable = False
        self.random = random.SeedGenerator(seed)
        told = METRICS if l1_weight else METRICS[:-1]
        self.trackers = {key: keras.metrics.Mean(name=key) for key in told}
        self.built = True

    def compile(self, generator_optimizer=None, discriminator_optimizer=None, **settings) -> None:
        """Give each player its optimizer.

        Args:
            generator_optimizer: a Keras optimizer; Adam without momentum at 2e-4 by default.
            discriminator_optimizer: likewise; twice the rate, say, is a way to keep it ahead.
            settings: what else `keras.Model.compile` takes (`jit_compile`, `run_eagerly`, …).
        """
        self.generator_optimizer = _optimizer(generator_optimizer)
        self.discriminator_optimizer = _optimizer(discriminator_optimizer)
        # Built now: weights that do not exist yet would be left out, without a word, when a
        # checkpoint is restored.
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.compile_settings = settings
        super().compile(optimizer=self.generator_optimizer, **settings)

    @stateless_under_jax
    def train_step(self, data):
        """One step of the game; `fit` calls it with each batch."""
        real, given = self.real_and_given(data)
        draws = self.sample_inputs(ops.shape(real)[0], tuple(real.shape[1:]))
        losses, gradients = losses_and_gradients(
            lambda: self.compute_losses(real, draws, given),
            {"generator": self.generator, "discriminator": self.discriminator},
        )
        self.generator_optimizer.apply(gradients["generator"], self.generator.trainable_variables)
        self.discriminator_optimizer.apply(
            gradients["discriminator"], self.discriminator.trainable_variables
        )
        self.update_ema(ops.shape(real)[0])
        return self.update_metrics(losses, gradients)

    def sample_inputs(self, batch, image_shape) -> dict:
        """Draw everything that is random in a step, from the seed and the step's number alone."""
        step = ops.cast(self.generator_optimizer.iterations, "uint32")
        seed = ops.cast(self.options["seed"], "uint32")
        self.random.state.assign(ops.stack([seed, 16 * step]))  # it counts on from there
        draws = {
            "augmentation": augmentation_parameters(
                self.options["augmentation"], batch, image_shape[:2], self.random
            )
        }
        if not self.conditional:
            shape = (batch, self.generator.input_shape[-1])
            draws["latents"] = random.normal(shape, seed=self.random)
        if self.options["penalty"] == "first_order":
            for name in ("real_noise", "fake_noise"):
                draws[name] = gan_losses.penalty_noise(
                    self.options["noise"], (batch, *image_shape), self.random
                )
        return draws

    def compute_losses(self, real, draws: dict, given=None) -> dict:
        """Both losses of a step, from real images and what was drawn: a pure function of them.

        The generator draws once. Its images serve both losses; so do the scores.
        """
        options = self.options
        fake = self.generator(draws["latents"] if given is None else given, training=True)
        shown = None if given is None else augment(given, _moved(draws["augmentation"]))
        real_seen = augment(real, draws["augmentation"])
        fake_seen = augment(fake, draws["augmentation"])
        real_scores = self.score(real_seen, shown)
        fake_scores = self.score(fake_seen, shown)
        discriminator_loss, generator_loss = gan_losses.gan_loss(options["loss"])(
            real_scores, fake_scores
        )
        penalty = self.penalty(
            {"real": (real_seen, real_scores), "fake": (ops.stop_gradient(fake_seen), fake_scores)},
            draws,
            shown,
        )
        told = {}
        if options["l1_weight"]:
            told["l1"] = ops.mean(ops.abs(fake - real))
            generator_loss += options["l1_weight"] * told["l1"]
        return told | {
            "generator_loss": generator_loss,
            "discriminator_loss": discriminator_loss + penalty,
            "penalty": penalty,
            "real_score": ops.mean(real_scores),
            "fake_score": ops.mean(fake_scores),
            "gap": ops.mean(real_scores) - ops.mean(fake_scores),
            # How well it tells the real image of a pair: 0 is blind, ln 2 is always.
            "discriminator_advantage": LN_2 - ops.mean(ops.softplus(fake_scores - real_scores)),
        }

    def score(self, image, given=None):
        """The discriminator's scores of images, or of images with what they were drawn from."""
        return self.discriminator(image if given is None else [given, image], training=True)

    def penalty(self, seen: dict, draws: dict, given=None):
        """The penalty on the discriminator's slope."""
        options, total = self.options, ops.zeros(())
        if options["penalty"] == "first_order":
            for kind, (images, scores) in seen.items():
                noisy = self.score(images + options["sigma"] * draws[f"{kind}_noise"], given)
                total += gan_losses.noise_penalty(
                    scores, noisy, gamma=options["gamma"], sigma=options["sigma"]
                )
        elif options["penalty"] in ("r1", "r1_r2"):
            for kind in ("real", "fake") if options["penalty"] == "r1_r2" else ("real",):
                images, scores = seen[kind]
                gradient = image_gradient(lambda image: ops.sum(self.score(image, given)), images)
                patches = 1
                for side in scores.shape[1:]:
                    patches *= side
                total += gan_losses.slope_penalty(gradient, gamma=options["gamma"], patches=patches)
        return total

    def update_ema(self, batch) -> None:
        """Let the averaged generator follow: average += (1 − decay) · (weight − average)."""
        batch = ops.cast(batch, "float32")
        seen = ops.cast(self.generator_optimizer.iterations, "float32") * batch
        half_life = ops.minimum(self.options["ema_half_life"], self.options["ema_rampup"] * seen)
        decay = ops.power(0.5, batch / ops.maximum(half_life, 1e-6))
        for slow, weight in zip(
            self.averaged_generator.weights, self.generator.weights, strict=True
        ):
            slow.assign(slow + (1 - decay) * (ops.cast(weight, slow.dtype) - slow))

    def update_metrics(self, losses: dict, gradients: dict) -> dict:
        """Add a step's numbers to the means that `fit` shows."""
        for player, ofplayer in gradients.items():
            squares = [ops.sum(ops.square(gradient)) for gradient in ofplayer]
            losses[f"{player}_gradient"] = ops.sqrt(sum(squares))
        for key, tracker in self.trackers.items():
            tracker.update_state(losses[key])
        return {key: tracker.result() for key, tracker in self.trackers.items()}

    def real_and_given(self, data):
        """Take a batch apart: the real images, and what they belong to if it is conditional."""
        first, second, _ = keras.utils.unpack_x_y_sample_weight(data)
        if self.conditional and second is None:
            raise ValueError("this GAN is conditional: fit it with pairs (given, image)")
        return (second, first) if self.conditional else (first, None)

    def call(self, inputs, training=False):
        """Draw with the averaged generator."""
        return self.averaged_generator(inputs, training=training)

    @property
    def non_trainable_variables(self):
        """Weights that no gradient changes, and under JAX the discriminator's optimizer: what its
        loop is to carry from step to step, beside the one optimizer that it knows."""
        variables = super().non_trainable_variables
        if keras.backend.backend() == "jax" and hasattr(self, "discriminator_optimizer"):
            variables = variables + self.discriminator_optimizer.variables
        return variables

    @property
    def metrics(self):
        """The means that `fit` shows and resets."""
        return list(self.trackers.values())

    def get_config(self):
        """All that `from_config` needs; optimizers are kept by `get_compile_config`."""
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        networks = {name: serialize_keras_object(network) for name, network in networks.items()}
        return networks | self.options | {"name": self.name}

    @classmethod
    def from_config(cls, config):
        """Build the same pair again."""
        networks = {
            name: deserialize_keras_object(config[name]) for name in ("generator", "discriminator")
        }
        return cls(**config | networks)

    def get_compile_config(self):
        """Both optimizers and the other settings, for `keras.saving.load_model`."""
        return {
            "generator_optimizer": serialize_keras_object(self.generator_optimizer),
            "discriminator_optimizer": serialize_keras_object(self.discriminator_optimizer),
            **self.compile_settings,
        }

    def compile_from_config(self, config):
        """Compile as before it was saved."""
        optimizers = ("generator_optimizer", "discriminator_optimizer")
        self.compile(
            **config | {name: deserialize_keras_object(config[name]) for name in optimizers}
        )


def _optimizer(given):
    return keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.99) if given is None else given


def _moved(parameters):
    """Of an augmentation, what a condition shares with its image."""
    return {kind: value for kind, value in parameters.items() if kind == "translation"}


def _check_networks(generator, discriminator, conditional, l1_weight):
    inputs = discriminator.input_shape
    pair = isinstance(inputs, list)
    if pair != conditional:
        raise ValueError(
            f"the generator takes {generator.input_shape}, the discriminator {inputs}; a generator "
            "of images needs a discriminator of pairs (gan_discriminator(condition_channels=…)), "
            "one of latents a discriminator of images"
        )
    judged = inputs[-1] if pair else inputs
    fits = zip(judged[1:], generator.output_shape[1:], strict=True)
    if any(None not in sides and sides[0] != sides[1] for sides in fits):
        raise ValueError(
            f"the generator draws {generator.output_shape[1:]} and the discriminator judges "
            f"{judged[1:]}; build both for the same size"
        )
    if l1_weight and not conditional:
        raise ValueError(
            f"l1_weight={l1_weight} compares each image with its partner, and an unconditional GAN "
            "has none; set it to 0, or use a generator that takes an image"
        )
