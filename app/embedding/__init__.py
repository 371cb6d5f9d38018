"""The only torch and OpenVINO code of the service: artifact checks and runtimes."""
