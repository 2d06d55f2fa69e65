"""The tick: observe, decide, record, act, report. Knows ports, never an adapter."""
