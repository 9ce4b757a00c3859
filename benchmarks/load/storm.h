// storm: connections that are opened, signed in, and closed again, as fast as the broker lets them.
#ifndef DAVYLAMP_STORM_H
#define DAVYLAMP_STORM_H

// Runs `set.opening` connections at a time for `set.seconds` and prints one line of JSON.
void run_storm(void);

#endif
