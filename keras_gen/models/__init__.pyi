from .augmentation import (
    AUGMENTATIONS as AUGMENTATIONS,
    augment as augment,
    augmentation_parameters as augmentation_parameters,
)
from .blocks import ACTIVATIONS as ACTIVATIONS
from .gan import GAN as GAN
from .gan_losses import (
    GAN_LOSSES as GAN_LOSSES,
    NOISES as NOISES,
    PENALTIES as PENALTIES,
    gan_loss as gan_loss,
    minimax as minimax,
    minimax_as_written as minimax_as_written,
    noise_penalty as noise_penalty,
    penalty_noise as penalty_noise,
    slope_penalty as slope_penalty,
)
from .gan_networks import gan_discriminator as gan_discriminator, gan_generator as gan_generator
from .simple import simple_generator as simple_generator
from .unet import unet_generator as unet_generator
from .upsampling import (
    UPSAMPLING as UPSAMPLING,
    low_pass as low_pass,
    transposed_initializer as transposed_initializer,
    upsample as upsample,
)
