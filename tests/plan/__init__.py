"""The plan: order, waves, hash, diff, forecast, and what a pull request shows of them."""
