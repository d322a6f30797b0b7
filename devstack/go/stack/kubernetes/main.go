// Program pavane-kube is every Kubernetes program of the local stack, and etcd, in one file.
//
// The first argument, or the name it is called by, says which program runs.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"

	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	_ "k8s.io/client-go/plugin/pkg/client/auth"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

var programs = map[string]func(){
	"etcd":           func() { etcdmain.Main(os.Args) },
	"kube-apiserver": func() { serve(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() {
		serve(controllermanager.NewControllerManagerCommand())
	},
	"kube-proxy":     func() { serve(proxy.NewProxyCommand()) },
	"kube-scheduler": func() { serve(scheduler.NewSchedulerCommand()) },
	"kubectl":        runKubectl,
	"kubelet":        func() { serve(kubelet.NewKubeletCommand(context.Background())) },
}

func serve(command *cobra.Command) {
	os.Exit(cli.Run(command))
}

func runKubectl() {
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}

func usage() {
	names := make([]string, 0, len(programs))
	for name := range programs {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "usage: pavane-kube PROGRAM [ARGUMENTS]\nprograms: %s\n", strings.Join(names, " "))
	os.Exit(2)
}

func main() {
	if run, found := programs[filepath.Base(os.Args[0])]; found {
		run()
		return
	}
	if len(os.Args) < 2 {
		usage()
	}
	run, found := programs[os.Args[1]]
	if !found {
		usage()
	}
	os.Args = os.Args[1:]
	run()
}
