// Package realparts tests sekisho against programs that other people wrote:
// FreeRADIUS as AAA, radclient as NAS, l2tpns as access router and a PPPoE line
// dialled by pppd inside User-Mode Linux, nft with the filters that sekisho
// prints for Linux routers, hostapd, which takes Disconnects, and strongSwan, which
// refuses CoA and is disconnected.
//
// The tests carry the build tag realparts and need root and the Debian packages
// of packages.txt:
//
//	go test -tags realparts ./cmd/sekisho/realparts
//
// All traffic stays on loopback and veth pairs inside network namespaces that a
// test makes for itself and removes again. Nothing below /etc is read or written,
// and no service of the machine is touched. A test never skips: where something
// is missing it fails at once and says what and where to get it.
//
// The tests build sekisho themselves; SEKISHO_BINARY names an installed one to
// test instead. REALPARTS_KEEP names a directory that keeps every file of a run.
package realparts
