from . import (
    analysis as analysis,
    cli as cli,
    comparison as comparison,
    data as data,
    inference as inference,
    metrics as metrics,
    models as models,
    sizes as sizes,
    training as training,
)
from ._util.figures import (
    COLOURS as COLOURS,
    contact_sheet as contact_sheet,
    digest as digest,
    show as show,
    side_by_side as side_by_side,
)
from ._util.quiet import quiet_tensorflow as quiet_tensorflow
from .analysis import (
    cost as cost,
    dead_units as dead_units,
    effective_receptive_field as effective_receptive_field,
    gradient_norms as gradient_norms,
    projective_field as projective_field,
    receptive_field as receptive_field,
    saturation as saturation,
)
from .comparison import compare as compare
from .metrics import (
    checkerboard_energy as checkerboard_energy,
    checkerboard_gain as checkerboard_gain,
    diversity as diversity,
    luma as luma,
    ms_ssim as ms_ssim,
    nearest_patch_distance as nearest_patch_distance,
    nearest_patches as nearest_patches,
    psnr as psnr,
    quality as quality,
    radial_spectrum as radial_spectrum,
    sharpness as sharpness,
    sliced_wasserstein as sliced_wasserstein,
    sliced_wasserstein_floor as sliced_wasserstein_floor,
    spectrum_distance as spectrum_distance,
    ssim as ssim,
)
from .models import (
    AUGMENTATIONS as AUGMENTATIONS,
    GAN as GAN,
    UPSAMPLING as UPSAMPLING,
    augment as augment,
    gan_discriminator as gan_discriminator,
    gan_generator as gan_generator,
    simple_generator as simple_generator,
    unet_generator as unet_generator,
    upsample as upsample,
)
from .sizes import (
    NoRouteError as NoRouteError,
    Route as Route,
    Stage as Stage,
    conv_size as conv_size,
    explain_skips as explain_skips,
    routes as routes,
    skip_sizes as skip_sizes,
    transposed_conv_size as transposed_conv_size,
)

__version__: str
