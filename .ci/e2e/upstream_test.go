package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// upstream stands for the API behind the gate. It speaks just enough HTTP/1.1
// to record every request as its bytes arrived: no library tidies them up.
type upstream struct {
	address string

	mutex    sync.Mutex
	requests []heard
	faults   []error
}

// heard is one request, byte for byte, without line ends.
type heard struct {
	line     string
	fields   []string // "Name: value"
	body     string   // without chunk sizes
	trailers []string
}

func newUpstream(t testing.TB) *upstream {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{address: listener.Addr().String()}
	t.Cleanup(func() {
		_ = listener.Close()
		u.mutex.Lock()
		defer u.mutex.Unlock()
		for _, fault := range u.faults {
			t.Error("the API got what is not HTTP:", fault)
		}
	})
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go u.serve(connection)
		}
	}()
	return u
}

func (u *upstream) serve(connection net.Conn) {
	defer func() { _ = connection.Close() }()
	reader := bufio.NewReader(connection)
	for {
		request, err := readRequest(reader)
		if errors.Is(err, io.EOF) {
			return
		}
		u.note(request, err)
		if err != nil {
			return
		}
		if strings.EqualFold(request.value("Upgrade"), "websocket") {
			_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			_, _ = io.Copy(connection, reader) // an echo until the client goes
			return
		}
		body := "from the API"
		answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", len(body))
		if !strings.HasPrefix(request.line, "HEAD ") {
			answer += body
		}
		if _, err := io.WriteString(connection, answer); err != nil {
			return
		}
	}
}

func (u *upstream) note(request heard, err error) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if err != nil {
		u.faults = append(u.faults, err)
		return
	}
	u.requests = append(u.requests, request)
}

// readRequest reads one request; io.EOF where the connection ends before one.
func readRequest(reader *bufio.Reader) (request heard, err error) {
	if request.line, err = readLine(reader); err != nil {
		return request, io.EOF
	}
	if request.fields, err = readFields(reader); err != nil {
		return request, err
	}
	if strings.EqualFold(request.value("Transfer-Encoding"), "chunked") {
		if request.body, err = readChunks(reader); err != nil {
			return request, err
		}
		request.trailers, err = readFields(reader)
		return request, err
	}
	length, _ := strconv.Atoi(request.value("Content-Length"))
	body := make([]byte, length)
	_, err = io.ReadFull(reader, body)
	request.body = string(body)
	return request, err
}

func readLine(reader *bufio.Reader) (string, error) {
	line, err := reader.ReadString('\n')
	return strings.TrimSuffix(line, "\r\n"), err
}

func readFields(reader *bufio.Reader) (fields []string, err error) {
	for {
		line, err := readLine(reader)
		if err != nil || line == "" {
			return fields, err
		}
		fields = append(fields, line)
	}
}

func readChunks(reader *bufio.Reader) (string, error) {
	var body strings.Builder
	for {
		line, err := readLine(reader)
		if err != nil {
			return "", err
		}
		size, err := strconv.ParseInt(line, 16, 32)
		if err != nil || size == 0 {
			return body.String(), err
		}
		if _, err := io.CopyN(&body, reader, size); err != nil {
			return "", err
		}
		if _, err := readLine(reader); err != nil {
			return "", err
		}
	}
}

// value returns the first value of a field, empty where there is none.
func (h heard) value(name string) string {
	if values := h.values(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// values returns all values of the fields of exactly this name, without case.
func (h heard) values(name string) (values []string) {
	for _, field := range h.fields {
		found, value, _ := strings.Cut(field, ":")
		if strings.EqualFold(found, name) {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

// copies returns the fields and trailers that a careless API takes for name:
// without case, and with all but letters and digits alike.
func (h heard) copies(name string) (copies []string) {
	for _, field := range append(h.fields[:len(h.fields):len(h.fields)], h.trailers...) {
		found, _, _ := strings.Cut(field, ":")
		if fold(found) == fold(name) {
			copies = append(copies, field)
		}
	}
	return copies
}

func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
}

// drain returns what was heard since the last time.
func (u *upstream) drain() []heard {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	requests := u.requests
	u.requests = nil
	return requests
}

// only returns the one request that was heard since the last time.
func (u *upstream) only(t testing.TB) heard {
	t.Helper()
	requests := u.drain()
	if len(requests) != 1 {
		t.Fatalf("the API heard %d requests, expected one: %q", len(requests), requests)
	}
	return requests[0]
}

// silent fails where anything was heard since the last time.
func (u *upstream) silent(t testing.TB) {
	t.Helper()
	if requests := u.drain(); len(requests) > 0 {
		t.Errorf("the API heard of it: %q", requests)
	}
}
