from .diversity_and_copying import (
    PatchMatches as PatchMatches,
)
from .diversity_and_copying import (
    diversity as diversity,
)
from .diversity_and_copying import (
    nearest_patch_distance as nearest_patch_distance,
)
from .diversity_and_copying import (
    nearest_patches as nearest_patches,
)
from .full_reference import (
    luma as luma,
)
from .full_reference import (
    ms_ssim as ms_ssim,
)
from .full_reference import (
    psnr as psnr,
)
from .full_reference import (
    sharpness as sharpness,
)
from .full_reference import (
    ssim as ssim,
)
from .image_quality import (
    Quality as Quality,
)
from .image_quality import (
    quality as quality,
)
from .spectra import (
    checkerboard_energy as checkerboard_energy,
)
from .spectra import (
    checkerboard_gain as checkerboard_gain,
)
from .spectra import (
    level_distance as level_distance,
)
from .spectra import (
    radial_spectrum as radial_spectrum,
)
from .spectra import (
    spectrum_distance as spectrum_distance,
)
from .wasserstein import (
    SlicedWasserstein as SlicedWasserstein,
)
from .wasserstein import (
    sliced_wasserstein as sliced_wasserstein,
)
from .wasserstein import (
    sliced_wasserstein_floor as sliced_wasserstein_floor,
)
