-- create_database --
CREATE DATABASE tallystick;
