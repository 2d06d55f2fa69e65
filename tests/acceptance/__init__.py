"""The contract, sentence by sentence, asked of the real command line on release repos made here."""
