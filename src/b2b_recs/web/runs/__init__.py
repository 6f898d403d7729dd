"""What every run has in common: claiming an attempt, recording progress, ending."""
