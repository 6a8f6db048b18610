from .comparing import (
    Comparison as Comparison,
)
from .comparing import (
    compare as compare,
)
from .old_comparisons import (
    fixed as fixed,
)
from .old_comparisons import (
    trained as trained,
)
from .old_comparisons import (
    untrained as untrained,
)
from .page import (
    Column as Column,
)
from .page import (
    Panel as Panel,
)
from .page import (
    Picture as Picture,
)
from .upscalers import (
    Upscaler as Upscaler,
)
