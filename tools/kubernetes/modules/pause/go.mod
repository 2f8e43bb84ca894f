module slipway.local/tools/pause

go 1.25.0
