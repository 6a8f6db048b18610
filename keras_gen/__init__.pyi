from . import (
    analysis as analysis,
)
from . import (
    cli as cli,
)
from . import (
    comparison as comparison,
)
from . import (
    data as data,
)
from . import (
    inference as inference,
)
from . import (
    metrics as metrics,
)
from . import (
    models as models,
)
from . import (
    sizes as sizes,
)
from . import (
    training as training,
)
from ._util.figures import (
    COLOURS as COLOURS,
)
from ._util.figures import (
    contact_sheet as contact_sheet,
)
from ._util.figures import (
    show as show,
)
from ._util.figures import (
    side_by_side as side_by_side,
)
from ._util.quiet import (
    quiet_tensorflow as quiet_tensorflow,
)
from .analysis import (
    cost as cost,
)
from .analysis import (
    dead_units as dead_units,
)
from .analysis import (
    effective_receptive_field as effective_receptive_field,
)
from .analysis import (
    gradient_norms as gradient_norms,
)
from .analysis import (
    projective_field as projective_field,
)
from .analysis import (
    receptive_field as receptive_field,
)
from .analysis import (
    saturation as saturation,
)
from .comparison import (
    compare as compare,
)
from .metrics import (
    checkerboard_energy as checkerboard_energy,
)
from .metrics import (
    checkerboard_gain as checkerboard_gain,
)
from .metrics import (
    diversity as diversity,
)
from .metrics import (
    luma as luma,
)
from .metrics import (
    ms_ssim as ms_ssim,
)
from .metrics import (
    nearest_patch_distance as nearest_patch_distance,
)
from .metrics import (
    nearest_patches as nearest_patches,
)
from .metrics import (
    psnr as psnr,
)
from .metrics import (
    quality as quality,
)
from .metrics import (
    radial_spectrum as radial_spectrum,
)
from .metrics import (
    sharpness as sharpness,
)
from .metrics import (
    sliced_wasserstein as sliced_wasserstein,
)
from .metrics import (
    sliced_wasserstein_floor as sliced_wasserstein_floor,
)
from .metrics import (
    spectrum_distance as spectrum_distance,
)
from .metrics import (
    ssim as ssim,
)
from .models import (
    AUGMENTATIONS as AUGMENTATIONS,
)
from .models import (
    GAN as GAN,
)
from .models import (
    UPSAMPLING as UPSAMPLING,
)
from .models import (
    augment as augment,
)
from .models import (
    gan_discriminator as gan_discriminator,
)
from .models import (
    gan_generator as gan_generator,
)
from .models import (
    simple_generator as simple_generator,
)
from .models import (
    unet_generator as unet_generator,
)
from .models import (
    upsample as upsample,
)
from .sizes import (
    NoRouteError as NoRouteError,
)
from .sizes import (
    Route as Route,
)
from .sizes import (
    Stage as Stage,
)
from .sizes import (
    conv_size as conv_size,
)
from .sizes import (
    explain_skips as explain_skips,
)
from .sizes import (
    routes as routes,
)
from .sizes import (
    skip_sizes as skip_sizes,
)
from .sizes import (
    transposed_conv_size as transposed_conv_size,
)

__version__: str
