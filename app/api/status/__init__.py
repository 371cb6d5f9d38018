"""The service about itself: model, health, readiness, metrics, documentation."""
