from .diversity_and_copying import (
    PatchMatches as PatchMatches,
    diversity as diversity,
    nearest_patch_distance as nearest_patch_distance,
    nearest_patches as nearest_patches,
)
from .full_reference import (
    luma as luma,
    ms_ssim as ms_ssim,
    psnr as psnr,
    sharpness as sharpness,
    ssim as ssim,
)
from .image_quality import Quality as Quality, quality as quality
from .spectra import (
    checkerboard_energy as checkerboard_energy,
    checkerboard_gain as checkerboard_gain,
    radial_spectrum as radial_spectrum,
    spectrum_distance as spectrum_distance,
)
from .wasserstein import (
    SlicedWasserstein as SlicedWasserstein,
    sliced_wasserstein as sliced_wasserstein,
    sliced_wasserstein_floor as sliced_wasserstein_floor,
)
