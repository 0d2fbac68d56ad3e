// Package play sends what attackers and honest clients send to an example API,
// as data, and judges what came of it.
//
// Each example has flaws that are switched on by name, attacks that work when
// their flaw is on, and a script of what honest clients do. What all of them
// need in the same form stands here: steps, keys, the judgements that attacks
// share, and the comparison of two plays of a script. It imports nothing of
// Parley's, like the examples.
package play
