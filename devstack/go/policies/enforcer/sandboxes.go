package main

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	sandboxName      = "io.kubernetes.cri.sandbox-name"
	sandboxNamespace = "io.kubernetes.cri.sandbox-namespace"
	lookPause        = 5 * time.Millisecond
)

// key names an object of the cluster.
type key struct {
	namespace, name string
}

// sandboxes knows which pod has which address before any of its containers runs.
//
// The plugin that gives addresses keeps a file for each, which names the sandbox; containerd keeps
// a description of each sandbox. The API server learns of addresses up to a second later.
type sandboxes struct {
	addresses, descriptions string
	changed                 func()
	lock                    sync.Mutex
	known                   map[netip.Addr]key
}

// follow keeps what is known up to date until the context ends.
func (one *sandboxes) follow(ctx context.Context) error {
	if err := os.MkdirAll(one.addresses, 0o755); err != nil {
		return err
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	if err := watcher.Add(one.addresses); err != nil {
		return err
	}
	entries, err := os.ReadDir(one.addresses)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		one.read(filepath.Join(one.addresses, entry.Name()))
	}
	go func() {
		defer watcher.Close()
		for {
			select {
			case event := <-watcher.Events:
				one.handle(ctx, event)
			case <-watcher.Errors:
			case <-ctx.Done():
				return
			}
		}
	}()
	return nil
}

// pods returns which pod has which address.
func (one *sandboxes) pods() map[netip.Addr]key {
	one.lock.Lock()
	defer one.lock.Unlock()
	found := map[netip.Addr]key{}
	for address, pod := range one.known {
		found[address] = pod
	}
	return found
}

func (one *sandboxes) handle(ctx context.Context, event fsnotify.Event) {
	address, err := netip.ParseAddr(filepath.Base(event.Name))
	if err != nil {
		return
	}
	if event.Has(fsnotify.Remove) {
		one.lock.Lock()
		delete(one.known, address)
		one.lock.Unlock()
		one.changed()
		return
	}
	if event.Has(fsnotify.Create) {
		go one.await(ctx, event.Name)
	}
}

// await looks until containerd has described the sandbox, or the address is given back.
func (one *sandboxes) await(ctx context.Context, file string) {
	for !one.read(file) {
		if _, err := os.Stat(file); err != nil || ctx.Err() != nil {
			return
		}
		time.Sleep(lookPause)
	}
	one.changed()
}

func (one *sandboxes) read(file string) bool {
	address, err := netip.ParseAddr(filepath.Base(file))
	if err != nil {
		return false
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	sandbox, _, _ := strings.Cut(string(content), "\n")
	described, err := os.ReadFile(
		filepath.Join(one.descriptions, strings.TrimSpace(sandbox), "config.json"))
	if err != nil {
		return false
	}
	var description struct {
		Annotations map[string]string `json:"annotations"`
	}
	if json.Unmarshal(described, &description) != nil {
		return false
	}
	pod := key{description.Annotations[sandboxNamespace], description.Annotations[sandboxName]}
	if pod.name == "" || pod.namespace == "" {
		return false
	}
	one.lock.Lock()
	one.known[address] = pod
	one.lock.Unlock()
	return true
}
