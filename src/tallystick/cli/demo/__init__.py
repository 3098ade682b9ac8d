"""`tallystick demo`: the main job from end to end, as an outsider would do it."""
