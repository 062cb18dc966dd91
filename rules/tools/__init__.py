"""What is behind the verbs on rules: new, check, test, backtest."""
