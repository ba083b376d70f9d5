package main

import "time"

// memoryStep is what the most memory is told of.
const memoryStep = 10 * time.Second

// memory looks at a process's own memory ten times a second; what it returns ends
// that and tells the most in each step, in MiB. It calls gone if the process has none
// any more, which is when it has ended.
func (p *process) memory(gone func()) (end func() []float64) {
	var series []float64
	stop, stopped := make(chan struct{}), make(chan struct{})
	began := time.Now()
	go func() {
		defer close(stopped)
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			mib := p.status("RssAnon:")
			if mib == 0 {
				gone()
			}
			series = highest(series, int(time.Since(began)/memoryStep), mib)
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	return func() []float64 {
		close(stop)
		<-stopped
		return series
	}
}

// highest keeps a value as that of a step if it is the highest of it.
func highest(series []float64, step int, value float64) []float64 {
	for len(series) <= step {
		series = append(series, 0)
	}
	series[step] = max(series[step], value)
	return series
}
