from .comparing import Comparison as Comparison, compare as compare
from .page import Column as Column, Panel as Panel, Picture as Picture
from .upscalers import Upscaler as Upscaler
