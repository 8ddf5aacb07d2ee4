"""What several commands share: options, output, progress, interrupts, opening a database."""
