// Package engine decides what a subscriber's session may do: which of the policy's actions holds, by which rule, and
// until when that answer stands.
//
// It is pure. Facts and a time go in, a Decision comes out; there is no I/O, no clock, no log and no state that
// changes, and only the standard library is imported. It does not know how policies are written (package policyfile
// does), how an action is said to a router (package dict), or where contracts come from (package store).
package engine
