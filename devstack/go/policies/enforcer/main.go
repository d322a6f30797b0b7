// Enforces the network policies of a local stack, in the packet filter of its node.
//
// It is for the local stack only: on a plane of a user an agent such as Cilium's enforces. The
// decisions are Cilium's own (package policies). Layers 3 and 4 of NetworkPolicy,
// CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy are enforced; of the rest, rules about
// host names let nothing through, and rules about requests let through whatever is asked.
//
// What it wrote stays when it ends, however it ends; a pod it does not know yet is closed. It
// ends only when told to: where the kernel cannot enforce, it says so in its status and waits.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

const (
	// Changes come in bursts: a deployment makes many at once.
	settle = 5 * time.Millisecond
	// After a failure the packet filter is written again.
	retry = time.Second
	// Bridged packets pass the packet filter only with this.
	bridged = "/proc/sys/net/bridge/bridge-nf-call-iptables"
)

type options struct {
	kubeconfig, node, bridge, addresses, sandboxes, status string
	network                                                network
}

// status is what the stack tells about enforcement.
type status struct {
	Enforced bool   `json:"enforced"`
	Detail   string `json:"detail"`
	Pods     int    `json:"pods"`
	Policies int    `json:"policies"`
}

func main() {
	given := parsed()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, logger, given); err != nil {
		logger.Error("policies are not enforced", "error", err)
		write(given.status, status{Detail: err.Error()})
		<-ctx.Done()
	}
}

func parsed() options {
	var given options
	var pods, machine, dns string
	flag.StringVar(&given.kubeconfig, "kubeconfig", "", "how the API server is reached")
	flag.StringVar(&given.node, "node", "", "name of the node")
	flag.StringVar(&given.bridge, "bridge", "pods", "the bridge of the pods")
	flag.StringVar(&given.addresses, "addresses", "", "folder of the addresses given to pods")
	flag.StringVar(&given.sandboxes, "sandboxes", "", "folder of containerd's sandboxes")
	flag.StringVar(&given.status, "status", "", "file that gets what is enforced")
	flag.StringVar(&pods, "pods", "", "the range of the pods' addresses")
	flag.StringVar(&machine, "machine", "", "address of gateway and API server")
	flag.StringVar(&dns, "dns", "", "address of the node at which names are answered")
	flag.StringVar(&given.network.gateway, "gateway", "", "namespace of the gateway")
	flag.Parse()
	given.network.pods = netip.MustParsePrefix(pods)
	given.network.machine = netip.MustParseAddr(machine)
	given.network.dns = netip.MustParseAddr(dns)
	return given
}

func run(ctx context.Context, logger *slog.Logger, given options) error {
	if content, err := os.ReadFile(bridged); err != nil || strings.TrimSpace(string(content)) != "1" {
		return fmt.Errorf("packets between pods pass no packet filter here: %s is not 1 "+
			"(kernel module br_netfilter)", bridged)
	}
	config, err := clientcmd.BuildConfigFromFlags("", given.kubeconfig)
	if err != nil {
		return err
	}
	wake := make(chan struct{}, 1)
	changed := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	known := &sandboxes{
		addresses: given.addresses, descriptions: given.sandboxes, changed: changed,
		known: map[netip.Addr]key{},
	}
	if err := known.follow(ctx); err != nil {
		return err
	}
	found, err := newCluster(logger, config, given.node, changed)
	if err != nil {
		return err
	}
	if !found.start(ctx) {
		return nil
	}
	changed()
	return enforce(ctx, logger, given, known, found, wake)
}

// enforce writes the packet filter after each change. Only the first time is a failure final:
// the kernel cannot do it.
func enforce(
	ctx context.Context, logger *slog.Logger, given options, known *sandboxes, found *cluster,
	wake <-chan struct{},
) error {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	packets := newFilter(given.network.pods, given.bridge)
	again := time.NewTimer(0)
	first := true
	var said status
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-again.C:
		}
		time.Sleep(settle)
		began := time.Now()
		now := snapshot{
			network: given.network, hosts: hostAddresses(given.network), pods: found.pods(known.pods()),
			policies: found.policies(),
		}
		wanted, err := decide(quiet, now)
		decided := time.Since(began)
		if err == nil {
			err = packets.write(wanted)
		}
		if err != nil {
			if first {
				return err
			}
			logger.Error("not written", "error", err)
			again.Reset(retry)
			continue
		}
		took := time.Since(began)
		if took > 100*time.Millisecond {
			logger.Info("slow", "decided", decided, "took", took, "pods", len(now.pods),
				"policies", len(now.policies), "ways", len(wanted.egress.ways)+len(wanted.ingress.ways))
		}
		go found.tell(ctx)
		telling := status{Enforced: true, Pods: len(now.pods), Policies: len(now.policies)}
		if first || telling != said {
			write(given.status, telling)
			said = telling
		}
		first = false
	}
}

// hostAddresses are those of the node, of the bridge too when there is none yet.
func hostAddresses(where network) map[netip.Addr]struct{} {
	found := map[netip.Addr]struct{}{where.pods.Masked().Addr().Next(): {}, where.dns: {}}
	local, err := net.InterfaceAddrs()
	if err != nil {
		return found
	}
	for _, each := range local {
		if prefix, err := netip.ParsePrefix(each.String()); err == nil && prefix.Addr().Is4() {
			found[prefix.Addr()] = struct{}{}
		}
	}
	return found
}

func write(file string, what status) {
	content, _ := json.Marshal(what)
	partial := filepath.Join(filepath.Dir(file), "."+filepath.Base(file))
	if os.WriteFile(partial, content, 0o644) == nil {
		_ = os.Rename(partial, file)
	}
}
