from .formulas import (
    conv_size as conv_size,
)
from .formulas import (
    transposed_conv_size as transposed_conv_size,
)
from .planner import (
    ROUTE_LEGEND as ROUTE_LEGEND,
)
from .planner import (
    NoRouteError as NoRouteError,
)
from .planner import (
    Route as Route,
)
from .planner import (
    Stage as Stage,
)
from .planner import (
    route_rows as route_rows,
)
from .planner import (
    routes as routes,
)
from .skip_connections import (
    SkipReport as SkipReport,
)
from .skip_connections import (
    explain_skips as explain_skips,
)
from .skip_connections import (
    skip_sizes as skip_sizes,
)
