"""The pretend storage behind the pools: servers, targets, LUNs and disks, and the drivers that speak to them."""
