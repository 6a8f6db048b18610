from .comparing import (
    Comparison as Comparison,
    compare as compare,
)
from .old_comparisons import (
    fixed as fixed,
    trained as trained,
    untrained as untrained,
)
from .page import (
    Column as Column,
    Panel as Panel,
    Picture as Picture,
)
from .upscalers import (
    Upscaler as Upscaler,
)
