/// The second computation of every table.
package enum Proof {}
