from .formulas import conv_size as conv_size, transposed_conv_size as transposed_conv_size
from .planner import (
    ROUTE_LEGEND as ROUTE_LEGEND,
    NoRouteError as NoRouteError,
    Route as Route,
    Stage as Stage,
    route_rows as route_rows,
    routes as routes,
)
from .skip_connections import (
    SkipReport as SkipReport,
    explain_skips as explain_skips,
    skip_sizes as skip_sizes,
)
