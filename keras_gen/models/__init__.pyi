from .augmentation import (
    AUGMENTATIONS as AUGMENTATIONS,
)
from .augmentation import (
    augment as augment,
)
from .augmentation import (
    augmentation_parameters as augmentation_parameters,
)
from .blocks import (
    ACTIVATIONS as ACTIVATIONS,
)
from .gan import (
    GAN as GAN,
)
from .gan_losses import (
    GAN_LOSSES as GAN_LOSSES,
)
from .gan_losses import (
    NOISES as NOISES,
)
from .gan_losses import (
    PENALTIES as PENALTIES,
)
from .gan_losses import (
    gan_loss as gan_loss,
)
from .gan_losses import (
    minimax as minimax,
)
from .gan_losses import (
    minimax_as_written as minimax_as_written,
)
from .gan_losses import (
    noise_penalty as noise_penalty,
)
from .gan_losses import (
    penalty_noise as penalty_noise,
)
from .gan_losses import (
    slope_penalty as slope_penalty,
)
from .gan_networks import (
    gan_discriminator as gan_discriminator,
)
from .gan_networks import (
    gan_generator as gan_generator,
)
from .simple import (
    simple_generator as simple_generator,
)
from .unet import (
    unet_generator as unet_generator,
)
from .upsampling import (
    UPSAMPLING as UPSAMPLING,
)
from .upsampling import (
    low_pass as low_pass,
)
from .upsampling import (
    transposed_initializer as transposed_initializer,
)
from .upsampling import (
    upsample as upsample,
)
