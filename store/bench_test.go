package store

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"

	"sekisho/engine"
)

// typical is a list like that of an ISP, in an order that is not the keys'.
func typical(n int) []engine.Contract {
	all := make([]engine.Contract, n)
	for i := range all {
		all[i] = engine.Contract{
			Account: fmt.Sprintf("u%07dab@atson.net", i*7919%n), Course: "Bフレッツファミリー", Address: "dynamic",
			Area: "tokyo", Segment: "personal", Options: []string{"fixed-ip"}, Status: "active",
		}
	}
	return all
}

func BenchmarkContract(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			all := typical(n)
			s := openTemp(b, all...)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, found, err := s.Contract(all[i%n].Account); !found || err != nil {
					b.Fatal(found, err)
				}
			}
		})
	}
}

// BenchmarkContractWhileImporting is the same beside imports that rewrite all.
func BenchmarkContractWhileImporting(b *testing.B) {
	const n = 100_000
	all, other := typical(n), typical(n)
	for i := range other {
		other[i].Course = "ADSLトーカー"
	}
	s := openTemp(b, all...)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			mustImportBench(b, s, [][]engine.Contract{other, all}[i%2])
		}
	}()
	for i := 0; b.Loop(); i++ {
		if _, found, err := s.Contract(all[i%n].Account); !found || err != nil {
			b.Fatal(found, err)
		}
	}
	close(stop)
	<-stopped
}

func mustImportBench(b *testing.B, s *Store, all []engine.Contract) {
	if _, err := s.ImportContracts(b.Context(), By{Who: "test"}, each(all...), ImportOptions{}); err != nil {
		b.Error(err)
	}
}

// BenchmarkImport imports a CSV file of 100,000 contracts.
func BenchmarkImport(b *testing.B) {
	const n = 100_000
	var file bytes.Buffer
	if err := WriteContracts(&file, each(typical(n)...)); err != nil {
		b.Fatal(err)
	}
	imports := map[string]bool{"empty store": true, "the same again": false}
	for name, fresh := range imports {
		b.Run(name, func(b *testing.B) {
			s := openTemp(b)
			b.ReportAllocs()
			for b.Loop() {
				if fresh {
					b.StopTimer()
					s = openTemp(b)
					b.StartTimer()
				}
				_, err := s.ImportContracts(b.Context(), By{Who: "test"}, ReadContracts("bench", bytes.NewReader(file.Bytes())), ImportOptions{})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
