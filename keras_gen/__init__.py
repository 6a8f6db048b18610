"""Neural networks that produce images of exactly the size you ask for.

    import keras_gen as kg

    model = kg.simple_generator(input_shape=(64, 64, 3), size=400)
    model.output_shape  # (None, 400, 400, 3)

The names below are loaded when they are first used, so that size arithmetic and the command line's
help answer without waiting for TensorFlow.
"""

import importlib

from keras_gen import _quiet

_quiet.install()

_PUBLIC = {
    "sizes": [
        "NoRouteError",
        "Route",
        "Stage",
        "conv_size",
        "cropped_size",
        "depthwise_conv_size",
        "padded_size",
        "parse_size",
        "pooling_size",
        "routes",
        "skip_sizes",
        "space_to_depth_size",
        "transposed_conv_size",
        "upsampled_size",
    ],
    "metrics": ["luma", "ms_ssim", "psnr", "sharpness", "ssim"],
    "spectra": [
        "checkerboard_amplitude",
        "checkerboard_energy",
        "checkerboard_gain",
        "radial_spectrum",
        "spectral_peaks",
        "spectrum_distance",
    ],
    "distances": ["sliced_wasserstein", "sliced_wasserstein_floor"],
    "variety": ["diversity", "nearest_patch_distance", "nearest_patches"],
    "skips": ["explain_skips"],
    "fields": ["projective_field", "receptive_field"],
    "effective": ["effective_receptive_field"],
    "costs": ["cost"],
    "sheets": ["contact_sheet"],
    "signals": ["dead_units", "gradient_norms", "saturation"],
    "upsampling": ["UPSAMPLING", "upsample"],
    "comparing": ["compare"],
    "simple": ["simple_generator"],
    "unet": ["unet_generator"],
    "augmentation": ["AUGMENTATIONS", "augment"],
    "gan_networks": ["gan_discriminator", "gan_generator"],
    "gan": ["GAN"],
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}
_MODULES = [
    "adversarial",
    "aerial",
    "augmentation",
    "checking",
    "comparing",
    "comparisons",
    "costs",
    "crops",
    "datasets",
    "distances",
    "drawings",
    "effective",
    "enlargers",
    "fields",
    "gan",
    "gan_jobs",
    "gan_networks",
    "gan_watch",
    "generating",
    "inspection",
    "jobs",
    "metrics",
    "occlusions",
    "paired",
    "pix2pix_jobs",
    "plots",
    "reading",
    "sampling",
    "sheets",
    "signals",
    "scores",
    "simple",
    "sizes",
    "skips",
    "spectra",
    "tour",
    "training",
    "truths",
    "unet",
    "unet_jobs",
    "upsampling",
    "variety",
    "viewer",
    "weights",
]

__version__ = "0.1.0"
__all__ = [*_HOME, *_MODULES]


def __getattr__(name):
    if name in _HOME:
        return getattr(importlib.import_module(f"keras_gen.{_HOME[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"keras_gen.{name}")
    raise AttributeError(f"module 'keras_gen' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
