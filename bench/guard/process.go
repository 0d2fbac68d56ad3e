package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// userHz is the unit of CPU times in /proc, which Linux fixes at 100 for
// programs whatever the kernel's own is (man 5 proc, 7 time).
const userHz = 100

// A process is a program that was started for the benchmark, with its children.
type process struct {
	cmd    *exec.Cmd
	output bytes.Buffer
	done   chan error
}

func start(dir, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), done: make(chan error, 1)}
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	// When the harness dies, nothing of it may go on using the processor.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.done <- p.cmd.Wait() }()
	return p, nil
}

// stop asks the program to end and waits until it has. Only then is what it
// printed complete.
func (p *process) stop() error {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.done:
		p.done <- err
		if err != nil && p.cmd.ProcessState.ExitCode() > 0 {
			return fmt.Errorf("%s: %w\n%s", filepath.Base(p.cmd.Path), err, p.output.Bytes())
		}
		return nil
	case <-time.After(60 * time.Second):
		p.cmd.Process.Kill()
		return fmt.Errorf("%s: did not end within a minute", filepath.Base(p.cmd.Path))
	}
}

// listening waits until a port accepts connections.
func (p *process) listening(port int) error {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		select {
		case err := <-p.done:
			p.done <- err
			return fmt.Errorf("%s ended: %v\n%s", strings.Join(p.cmd.Args, " "), err, p.output.Bytes())
		default:
		}
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			conn.Close()
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("%s: nothing listens on port %d", strings.Join(p.cmd.Args, " "), port)
}

// cpu is the time that the process and its children have used.
func (p *process) cpu() (time.Duration, error) {
	stats, err := readStats()
	if err != nil {
		return 0, err
	}
	var ticks int64
	var sum func(pid int)
	sum = func(pid int) {
		ticks += stats[pid].ticks
		for child, s := range stats {
			if s.parent == pid {
				sum(child)
			}
		}
	}
	sum(p.cmd.Process.Pid)
	return time.Duration(ticks) * time.Second / userHz, nil
}

// quiet waits until the process has used no more CPU for a while, so that what
// it left for later (queues, rubbish) is counted too.
func (p *process) quiet() (time.Duration, error) {
	last, err := p.cpu()
	if err != nil {
		return 0, err
	}
	for still, i := 0, 0; still < 5 && i < 300; i++ {
		time.Sleep(100 * time.Millisecond)
		now, err := p.cpu()
		if err != nil {
			return 0, err
		}
		// One tick is what an idle Go program's timers may cost.
		if now-last <= time.Second/userHz {
			still++
		} else {
			still = 0
		}
		last = now
	}
	return last, nil
}

// rss is the memory of the process and its children, in bytes, shared pages
// counted once for each.
func (p *process) rss() int64 {
	stats, _ := readStats()
	total := stats[p.cmd.Process.Pid].rss
	for _, s := range stats {
		if s.parent == p.cmd.Process.Pid {
			total += s.rss
		}
	}
	return total * int64(os.Getpagesize())
}

type stat struct {
	parent int
	ticks  int64
	rss    int64
}

func readStats() (map[int]stat, error) {
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("no /proc here: CPU is measured on Linux only")
	}
	stats := make(map[int]stat, len(names))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// The name in parentheses may hold anything; fields are counted from
		// behind it: state is 3, ppid 4, utime 14, stime 15, rss 24.
		_, rest, _ := strings.Cut(string(data), ") ")
		f := strings.Fields(rest)
		if len(f) < 22 {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parent, _ := strconv.Atoi(f[1])
		user, _ := strconv.ParseInt(f[11], 10, 64)
		system, _ := strconv.ParseInt(f[12], 10, 64)
		rss, _ := strconv.ParseInt(f[21], 10, 64)
		stats[pid] = stat{parent, user + system, rss}
	}
	return stats, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
