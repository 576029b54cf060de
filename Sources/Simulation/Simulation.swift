/// Generators of reproducible retail traffic.
package enum Simulation {}
