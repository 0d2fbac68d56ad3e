package gateway

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/parley-project/parley/exchange"
)

// Metrics counts what guard does, in the terms of Prometheus. Its labels come
// from the contract and the catalogue, never from what strangers send, so there
// is an end to them.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	actions  *prometheus.CounterVec
	failures prometheus.Counter
	alerts   prometheus.Counter
	decide   prometheus.Histogram
}

// NewMetrics returns counters that all stand at zero.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "parley_requests_total",
			Help: "Requests answered, by the contract's operation (none: it has none), the status's class and guard's mode."}, []string{"operation", "status", "mode"}),
		actions: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "parley_actions_total",
			Help: "What guard refused, stripped and repaired, by check; enforced is false for what it only counted."}, []string{"check", "kind", "enforced"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_upstream_failures_total",
			Help: "Requests that the API did not answer, or not to the end."}),
		alerts: prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_alerts_total",
			Help: "Times that one caller was refused on as many distinct objects as the policy allows."}),
		decide: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "parley_decision_seconds",
			Help: "Guard's own work on a request and its response.", Buckets: prometheus.ExponentialBuckets(2e-6, 4, 10)}),
	}
	m.registry.MustRegister(m.requests, m.actions, m.failures, m.alerts, m.decide)
	return m
}

// Alert counts an alert.
func (m *Metrics) Alert() { m.alerts.Inc() }

// Recorder counts exchanges on their way to another recorder.
func (m *Metrics) Recorder(next exchange.Recorder) exchange.Recorder { return &counting{m, next} }

type counting struct {
	m    *Metrics
	next exchange.Recorder
}

func (c *counting) Record(x *exchange.Exchange) {
	if x.Side == exchange.ClientSide && x.Source == exchange.FromGuard {
		c.m.count(x)
	}
	c.next.Record(x)
}

func (m *Metrics) count(x *exchange.Exchange) {
	operation, status := x.Server.Operation, "none"
	if operation == "" {
		operation = "none"
	}
	if x.Response != nil {
		status = strconv.Itoa(x.Response.Status/100) + "xx"
	}
	m.requests.WithLabelValues(operation, status, x.Server.Mode).Inc()
	for i := range x.Actions {
		a := &x.Actions[i]
		m.actions.WithLabelValues(a.Check, string(a.Kind), strconv.FormatBool(a.Enforced)).Inc()
	}
	if x.Failure != "" {
		m.failures.Inc()
	}
	m.decide.Observe(x.Times.Decide.Seconds())
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
