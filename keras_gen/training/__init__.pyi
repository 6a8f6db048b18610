from .calibration import calibrate as calibrate
from .evaluation import Evaluator as Evaluator
from .gan import train_gan as train_gan
from .options import (
    GanOptions as GanOptions,
    Pix2pixOptions as Pix2pixOptions,
    SimpleOptions as SimpleOptions,
    UnetOptions as UnetOptions,
)
from .pix2pix import train_pix2pix as train_pix2pix
from .schedules import InverseSquareRootDecay as InverseSquareRootDecay
from .simple import train_simple as train_simple
from .supervised import compile_for_images as compile_for_images
from .unet import train_unet as train_unet
from .upscaling_evaluation import compare_with_bicubic as compare_with_bicubic
