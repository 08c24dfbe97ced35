// SPDX-License-Identifier: GPL-3.0-or-later
// Copyright: (c) 2026, scp.dataops contributors

// One binary holds every Go program of the embedded cluster, because they share most of their code: built one by one
// they would take several times as long and ten times the disk. The name it is called by picks the program.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata" // time zones of CronJobs

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/template"
)

type program struct {
	name string
	help string
	run  func()
}

var programs = []program{
	{"etcd", "the store behind the API server", func() { etcdmain.Main(os.Args) }},
	{"kube-apiserver", "the Kubernetes API", command(apiserver.NewAPIServerCommand)},
	{"kube-controller-manager", "the built-in controllers", command(controllermanager.NewControllerManagerCommand)},
	{"kube-scheduler", "assigns pods to nodes", command(func() *cobra.Command { return scheduler.NewSchedulerCommand() })},
	{"kubelet", "runs the pods of this node", command(func() *cobra.Command {
		return kubelet.NewKubeletCommand(context.Background())
	})},
	{"kube-proxy", "makes Service addresses reachable", command(proxy.NewProxyCommand)},
	{"coredns", "cluster DNS", coremain.Run},
	{"shared-storage", "provisions ReadWriteMany volumes in a folder of this node", runProvisioner},
	{"kubectl", "the command line client", func() {
		kubectlutil.CheckErr(cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()))
	}},
}

// command wraps a cobra command so that it is only built when its program was asked for: building all of them
// would register the same flags more than once.
func command(build func() *cobra.Command) func() {
	return func() { os.Exit(cli.Run(build())) }
}

func find(name string) *program {
	for i := range programs {
		if programs[i].name == name {
			return &programs[i]
		}
	}
	return nil
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: kubernetes PROGRAM [OPTIONS], or call it by a link named like the program")
	for _, p := range programs {
		fmt.Fprintf(os.Stderr, "  %-24s %s\n", p.name, p.help)
	}
}

func main() {
	chosen := find(filepath.Base(os.Args[0]))
	if chosen == nil && len(os.Args) > 1 {
		chosen = find(os.Args[1])
		os.Args = os.Args[1:]
	}
	if chosen == nil {
		usage()
		os.Exit(2)
	}
	chosen.run()
}
