"""`GAN`: a generator and a discriminator that train each other in a custom `train_step`.

One step, from top to bottom:

    sample_inputs     latents, augmentation and noise, from the seed and the step's number alone
    compute_losses    the generator makes images, the discriminator scores real and generated ones
    apply             each optimizer changes one network, following the gradient of its own loss
    update_ema        a second generator holds the moving average of the first one's weights
    update_metrics    means of the losses and scores, which `fit` logs
"""

import math

import keras
from keras import Model, ops, random
from keras.saving import deserialize_keras_object, serialize_keras_object

from keras_gen._util.arguments import check_choice
from keras_gen._util.gradients import image_gradient, losses_and_gradients, stateless_under_jax
from keras_gen.models import gan_losses
from keras_gen.models.augmentation import augment, augmentation_parameters, check_augmentations

METRICS = (
    "generator_loss",
    "discriminator_loss",  # includes the penalty
    "penalty",
    "real_score",
    "fake_score",
    "gap",  # real_score − fake_score
    "discriminator_advantage",  # 0: real and fake score alike, ln 2: completely separated
    "generator_gradient",  # length of the gradient of generator_loss
    "discriminator_gradient",
)


@keras.saving.register_keras_serializable(package="keras_gen")
class GAN(Model):
    """A generator and a discriminator that compile, fit, save and load like any Keras model.

    With a generator that takes latent vectors, the GAN is unconditional: `fit` takes images. With a
    generator that takes images, it is conditional (pix2pix, Isola et al. 2017): `fit` takes pairs
    (condition, image), and the discriminator takes `[condition, image]`.

    Args:
        generator: maps latents `(batch, latent_dim)`, or condition images, to images in 0 … 1.
        discriminator: maps images, or `[condition, image]`, to scores of any shape.
        loss: one of the keys of `gan_losses.GAN_LOSSES`.
        penalty: one of the keys of `gan_losses.PENALTIES`; it limits the discriminator's slope.
        gamma: strength of the penalty.
        sigma: standard deviation of the noise of the first-order penalty, in units of the pixels.
            The discriminator learns to ignore smaller differences, so choose it below the contrast
            of the finest detail.
        noise: kind of that noise, one of the keys of `gan_losses.NOISES`.
        augmentation: keys of `augmentation.AUGMENTATIONS`. A condition is shifted with its image.
        l1_weight: weight of the mean absolute error in the generator's loss, which pulls each
            image towards its partner (conditional only).
        ema_half_life: number of images after which a weight's part in the moving average halves.
        ema_rampup: early in training, the half-life is at most this fraction of the images seen so
            far, so that the average soon forgets the initial weights (Karras et al. 2022).
        seed: seed of all random numbers in training.
        name: the model's name.

    Attributes:
        averaged_generator: the generator with the exponential moving average of its weights. The
            model itself calls this one.

    Raises:
        ValueError: for an unknown loss, penalty, noise or augmentation, or networks that do not
            fit each other.

    Example:
        gan = GAN(gan_generator(size=400), gan_discriminator((400, 400, 3)))
        gan.compile()
        gan.fit(images)  # batches of float32 (batch, 400, 400, 3) in 0 … 1
        generated = gan(keras.random.normal((16, 128)))

    References:
        Goodfellow et al. (2014), "Generative adversarial nets". Isola et al. (2017),
        "Image-to-image translation with conditional adversarial networks". Karras et al. (2022),
        "Elucidating the design space of diffusion-based generative models".
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
        check_choice("GAN loss", loss, gan_losses.GAN_LOSSES)
        check_choice("penalty", penalty, gan_losses.PENALTIES)
        check_choice("noise", noise, gan_losses.NOISES)
        check_augmentations(augmentation)
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
        logged = (*METRICS, "l1") if l1_weight else METRICS
        self.trackers = {key: keras.metrics.Mean(name=key) for key in logged}
        self.built = True

    def compile(self, generator_optimizer=None, discriminator_optimizer=None, **settings) -> None:
        """Give each network its optimizer.

        Args:
            generator_optimizer: a Keras optimizer; by default Adam without momentum and with a
                learning rate of 2e-4.
            discriminator_optimizer: likewise. A higher learning rate, twice the generator's for
                instance, keeps the discriminator ahead.
            settings: further arguments of `keras.Model.compile` (`jit_compile`, `run_eagerly`, …).
        """
        self.generator_optimizer = _optimizer(generator_optimizer)
        self.discriminator_optimizer = _optimizer(discriminator_optimizer)
        # Built now, because Keras restores a checkpoint without a warning for optimizer weights
        # that do not exist yet.
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.compile_settings = settings
        super().compile(optimizer=self.generator_optimizer, **settings)

    @stateless_under_jax
    def train_step(self, data):
        """Train both networks on one batch; `fit` calls this method."""
        real, condition = self.real_and_condition(data)
        random_inputs = self.sample_inputs(ops.shape(real)[0], tuple(real.shape[1:]))
        losses, gradients = losses_and_gradients(
            lambda: self.compute_losses(real, random_inputs, condition),
            {"generator": self.generator, "discriminator": self.discriminator},
        )
        self.generator_optimizer.apply(gradients["generator"], self.generator.trainable_variables)
        self.discriminator_optimizer.apply(
            gradients["discriminator"], self.discriminator.trainable_variables
        )
        self.update_ema(ops.shape(real)[0])
        return self.update_metrics(losses, gradients)

    def sample_inputs(self, batch, image_shape) -> dict:
        """Sample everything that is random in a step, from the seed and the step's number alone.

        Args:
            batch: number of images.
            image_shape: `(height, width, channels)` of the images.

        Returns:
            `"augmentation"`: the parameters of `augment`. `"latents"`, if the GAN is unconditional:
            `(batch, latent_dim)`. `"real_noise"` and `"fake_noise"`, with the first-order penalty:
            `(batch, *image_shape)`.
        """
        step = ops.cast(self.generator_optimizer.iterations, "uint32")
        seed = ops.cast(self.options["seed"], "uint32")
        # The seed generator counts on from here; a step takes fewer than 16 seeds.
        self.random.state.assign(ops.stack([seed, 16 * step]))
        random_inputs = {
            "augmentation": augmentation_parameters(
                self.options["augmentation"], batch, image_shape[:2], self.random
            )
        }
        if not self.conditional:
            shape = (batch, self.generator.input_shape[-1])
            random_inputs["latents"] = random.normal(shape, seed=self.random)
        if self.options["penalty"] == "first_order":
            for name in ("real_noise", "fake_noise"):
                random_inputs[name] = gan_losses.penalty_noise(
                    self.options["noise"], (batch, *image_shape), self.random
                )
        return random_inputs

    def compute_losses(self, real, random_inputs: dict, condition=None) -> dict:
        """Compute both losses of a step, and what is logged with them, without random numbers.

        The generator runs once. Its images and their scores serve both losses.

        Args:
            real: real images, float `(batch, height, width, channels)` in 0 … 1.
            random_inputs: the result of `sample_inputs`.
            condition: the condition of each image, if the GAN is conditional.

        Returns:
            Scalars by name: `METRICS` without the gradients, and `"l1"` if it has a weight.
        """
        options, augmentation = self.options, random_inputs["augmentation"]
        generator_input = random_inputs["latents"] if condition is None else condition
        fake = self.generator(generator_input, training=True)
        shown_real, shown_fake = augment(real, augmentation), augment(fake, augmentation)
        if condition is not None:
            condition = augment(condition, _shared_with_condition(augmentation))
        real_scores = self.score(shown_real, condition)
        fake_scores = self.score(shown_fake, condition)
        loss = gan_losses.gan_loss(options["loss"])
        discriminator_loss, generator_loss = loss(real_scores, fake_scores)
        scored = {
            "real": (shown_real, real_scores),
            "fake": (ops.stop_gradient(shown_fake), fake_scores),
        }
        penalty = self.penalty(scored, random_inputs, condition)
        logs = {}
        if options["l1_weight"]:
            logs["l1"] = ops.mean(ops.abs(fake - real))
            generator_loss += options["l1_weight"] * logs["l1"]
        advantage = math.log(2) - ops.mean(ops.softplus(fake_scores - real_scores))
        return logs | {
            "generator_loss": generator_loss,
            "discriminator_loss": discriminator_loss + penalty,
            "penalty": penalty,
            "real_score": ops.mean(real_scores),
            "fake_score": ops.mean(fake_scores),
            "gap": ops.mean(real_scores) - ops.mean(fake_scores),
            "discriminator_advantage": advantage,
        }

    def score(self, image, condition=None):
        """Score images, or images together with their conditions."""
        inputs = image if condition is None else [condition, image]
        return self.discriminator(inputs, training=True)

    def penalty(self, scored: dict, random_inputs: dict, condition=None):
        """Compute the penalty on the discriminator's slope.

        Args:
            scored: `{"real": (images, scores), "fake": (images, scores)}`.
            random_inputs: the result of `sample_inputs`.
            condition: the augmented condition of each image, if the GAN is conditional.

        Returns:
            Scalar, 0 without a penalty.
        """
        options, total = self.options, ops.zeros(())
        if options["penalty"] == "first_order":
            for kind, (images, scores) in scored.items():
                noise = options["sigma"] * random_inputs[f"{kind}_noise"]
                noisy = self.score(images + noise, condition)
                total += gan_losses.noise_penalty(
                    scores, noisy, gamma=options["gamma"], sigma=options["sigma"]
                )
        elif options["penalty"] in ("r1", "r1_r2"):
            for kind in ("real", "fake") if options["penalty"] == "r1_r2" else ("real",):
                images, scores = scored[kind]
                gradient = image_gradient(
                    lambda image: ops.sum(self.score(image, condition)), images
                )
                patches = math.prod(scores.shape[1:])
                total += gan_losses.slope_penalty(gradient, gamma=options["gamma"], patches=patches)
        return total

    def update_ema(self, batch) -> None:
        """Update the averaged generator: average += (1 − decay) · (weight − average)."""
        batch = ops.cast(batch, "float32")
        images_seen = ops.cast(self.generator_optimizer.iterations, "float32") * batch
        half_life = ops.minimum(
            self.options["ema_half_life"], self.options["ema_rampup"] * images_seen
        )
        decay = ops.power(0.5, batch / ops.maximum(half_life, 1e-6))
        for average, weight in zip(
            self.averaged_generator.weights, self.generator.weights, strict=True
        ):
            average.assign(average + (1 - decay) * (ops.cast(weight, average.dtype) - average))

    def update_metrics(self, losses: dict, gradients: dict) -> dict:
        """Add a step's values to the means that `fit` logs, and return the means."""
        for name, its_gradients in gradients.items():
            squares = [ops.sum(ops.square(gradient)) for gradient in its_gradients]
            losses[f"{name}_gradient"] = ops.sqrt(sum(squares))
        for key, tracker in self.trackers.items():
            tracker.update_state(losses[key])
        return {key: tracker.result() for key, tracker in self.trackers.items()}

    def real_and_condition(self, data):
        """Split a batch into real images and their conditions, None if it is unconditional."""
        first, second, _ = keras.utils.unpack_x_y_sample_weight(data)
        if self.conditional and second is None:
            raise ValueError("this GAN is conditional: fit it with pairs (condition, image)")
        return (second, first) if self.conditional else (first, None)

    def call(self, inputs, training=False):
        """Generate images with the averaged generator."""
        return self.averaged_generator(inputs, training=training)

    @property
    def non_trainable_variables(self):
        """Weights that no gradient changes; under JAX also those of the discriminator's optimizer.

        Keras' JAX loop carries these variables and one optimizer from step to step. The second
        optimizer has to travel with them.
        """
        variables = super().non_trainable_variables
        if keras.backend.backend() == "jax" and hasattr(self, "discriminator_optimizer"):
            variables = variables + self.discriminator_optimizer.variables
        return variables

    @property
    def metrics(self):
        """The means that `fit` logs, and resets after each epoch."""
        return list(self.trackers.values())

    def get_config(self):
        """Everything that `from_config` needs; `get_compile_config` holds the optimizers."""
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        networks = {name: serialize_keras_object(network) for name, network in networks.items()}
        return networks | self.options | {"name": self.name}

    @classmethod
    def from_config(cls, config):
        """Build the same GAN again."""
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
        """Compile with the saved optimizers and settings."""
        optimizers = ("generator_optimizer", "discriminator_optimizer")
        self.compile(
            **config | {name: deserialize_keras_object(config[name]) for name in optimizers}
        )


def _optimizer(given):
    return keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.99) if given is None else given


def _shared_with_condition(parameters):
    """The part of an augmentation that applies to a condition as well as to its image."""
    return {kind: value for kind, value in parameters.items() if kind == "translation"}


def _check_networks(generator, discriminator, conditional, l1_weight):
    inputs = discriminator.input_shape
    takes_pairs = isinstance(inputs, list)
    if takes_pairs != conditional:
        raise ValueError(
            f"the generator takes {generator.input_shape}, the discriminator {inputs}; a generator "
            "of images needs a discriminator of pairs (gan_discriminator(condition_channels=…)), "
            "one of latents a discriminator of images"
        )
    generated = generator.output_shape[1:]
    scored = (inputs[-1] if takes_pairs else inputs)[1:]
    sides = zip(generated, scored, strict=True)
    if any(None not in pair and pair[0] != pair[1] for pair in sides):
        raise ValueError(
            f"the generator makes images of shape {generated}, but the discriminator scores images "
            f"of shape {scored}; build both for the same size"
        )
    if l1_weight and not conditional:
        raise ValueError(
            f"l1_weight={l1_weight} compares each image with its partner, and an unconditional GAN "
            "has none; set it to 0, or use a generator that takes an image"
        )
