"""What a network costs on a device, known before it is trained: measured here, estimated by layers, or published."""
