package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// exchange is a connection to Caddy that stays open, with one request at a time.
type exchange struct {
	loop       *loop
	host       string
	descriptor int
	connection io.ReadWriter
	series     *series // nil: none now
	request    int
	begin      time.Time
	read       []byte // what came of the answer
}

// series is what is sent over some connections to one site.
type series struct {
	to        *url.URL
	wire      [][]byte // the requests
	status    int      // of every answer
	next      int
	answered  int
	latencies []time.Duration
}

// newSeries makes requests of a row, and writes them as they are on the wire.
func newSeries(of row, p *process, count int) (*series, error) {
	requests, err := of.requests(p, count)
	if err != nil {
		return nil, err
	}
	status := of.status
	if status == 0 {
		status = http.StatusOK
	}
	s := &series{
		to: requests[0].URL, status: status,
		wire: make([][]byte, len(requests)), latencies: make([]time.Duration, len(requests)),
	}
	for i, r := range requests {
		r.Header.Set("Accept-Encoding", "gzip")
		var wire bytes.Buffer
		if err := r.Write(&wire); err != nil {
			return nil, err
		}
		s.wire[i] = wire.Bytes()
	}
	return s, nil
}

// patience is how long Caddy may take for an answer, and to end. It only tells what hangs.
const patience = 30 * time.Second

// send sends a series over that many connections, and returns how long it took.
func (l *loop) send(s *series, connections int) (time.Duration, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for len(l.open[s.to.Host]) < connections {
		if err := l.connect(s.to); err != nil {
			return 0, err
		}
	}
	begin := time.Now()
	for _, one := range l.open[s.to.Host][:connections] {
		one.series = s
		if err := one.send(); err != nil {
			return 0, err
		}
	}
	err := l.finish(s)
	return time.Since(begin), err
}

// finish moves bytes until the series is answered.
func (l *loop) finish(s *series) error {
	wait := 0
	if l.sleep {
		wait = 1000
	}
	for last, answered := time.Now(), 0; s.answered < len(s.wire); {
		if err := l.poll(wait); err != nil {
			return err
		}
		if s.answered > answered {
			last, answered = time.Now(), s.answered
		} else if time.Since(last) > patience {
			return fmt.Errorf("no answer for %v", patience)
		}
	}
	return nil
}

func (l *loop) connect(to *url.URL) error {
	port, err := strconv.Atoi(to.Port())
	if err != nil {
		return err
	}
	var config *tls.Config
	if to.Scheme == "https" {
		config = l.tls.Clone()
		config.ServerName = to.Hostname()
	}
	socket, connection, err := dial(port, config)
	if err != nil {
		return err
	}
	opened := &exchange{loop: l, host: to.Host, descriptor: socket.descriptor, connection: connection}
	l.open[to.Host] = append(l.open[to.Host], opened)
	return l.add(socket.descriptor, opened)
}

// send sends the next request of the series, if there is one.
func (e *exchange) send() error {
	if e.series.next == len(e.series.wire) {
		e.series = nil
		return nil
	}
	e.request, e.begin = e.series.next, time.Now()
	e.series.next++
	_, err := e.connection.Write(e.series.wire[e.request])
	return err
}

func (e *exchange) ready() error {
	var buffer [16 << 10]byte
	for {
		count, err := e.connection.Read(buffer[:])
		switch {
		case errors.Is(err, errNothing):
			return nil
		case e.series == nil: // Caddy has closed it, or ended
			e.hangUp()
			return nil
		case err != nil:
			return err
		}
		e.read = append(e.read, buffer[:count]...)
		if whole, err := e.answer(); err != nil {
			return err
		} else if whole {
			break
		}
	}
	e.series.latencies[e.request] = time.Since(e.begin)
	e.series.answered++
	e.read = e.read[:0]
	return e.send()
}

func (e *exchange) hangUp() {
	e.loop.remove(e.descriptor)
	e.loop.open[e.host] = slices.DeleteFunc(e.loop.open[e.host], func(other *exchange) bool { return other == e })
}

// answer judges what came, once it is whole.
func (e *exchange) answer() (whole bool, _ error) {
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(e.read)), nil)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	}
	if err == nil && response.StatusCode != e.series.status {
		err = fmt.Errorf("status %d, expected %d: %s", response.StatusCode, e.series.status, body)
	}
	return true, err
}
