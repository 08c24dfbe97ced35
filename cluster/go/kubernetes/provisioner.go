// SPDX-License-Identifier: GPL-3.0-or-later
// Copyright: (c) 2026, scp.dataops contributors

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// volumeMode lets any user write, because Kubernetes applies fsGroup to no hostPath volume and the pods run as
// several unprivileged users. The setgid bit keeps group 0, which OpenShift-style images share, on new files.
const volumeMode = os.ModeSetgid | 0o777

var accessModes = []core.PersistentVolumeAccessMode{
	core.ReadWriteOnce, core.ReadWriteMany, core.ReadOnlyMany, core.ReadWriteOncePod,
}

// folders provisions each volume as one folder directly below root. All file access goes through os.Root, which
// refuses any name or symbolic link that leads out of it.
type folders struct {
	path string
	root *os.Root
	node string
}

// Provision creates the folder of a claim and describes it as a volume bound to this node.
func (f *folders) Provision(
	_ context.Context, options controller.ProvisionOptions,
) (*core.PersistentVolume, controller.ProvisioningState, error) {
	if reason := refusal(options.PVC); reason != "" {
		return nil, controller.ProvisioningFinished, errors.New(reason)
	}
	if err := f.create(options.PVName); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("create volume folder: %w", err)
	}
	mustExist := core.HostPathDirectory
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: options.PVName},
		Spec: core.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   options.PVC.Spec.AccessModes,
			MountOptions:                  options.StorageClass.MountOptions,
			Capacity: core.ResourceList{
				core.ResourceStorage: options.PVC.Spec.Resources.Requests[core.ResourceStorage],
			},
			PersistentVolumeSource: core.PersistentVolumeSource{HostPath: &core.HostPathVolumeSource{
				Path: filepath.Join(f.path, options.PVName),
				Type: &mustExist,
			}},
			NodeAffinity: onlyOn(f.node),
		},
	}, controller.ProvisioningFinished, nil
}

// Delete removes the folder of a volume with everything in it. Only folders directly below root are ever touched.
func (f *folders) Delete(_ context.Context, volume *core.PersistentVolume) error {
	if volume.Spec.HostPath == nil || volume.Spec.HostPath.Path != filepath.Join(f.path, volume.Name) {
		return fmt.Errorf("volume %s is not a folder of %s", volume.Name, f.path)
	}
	return f.root.RemoveAll(volume.Name)
}

func (f *folders) create(name string) error {
	if err := f.root.Mkdir(name, 0o777); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return f.root.Chmod(name, volumeMode)
}

func refusal(claim *core.PersistentVolumeClaim) string {
	if claim.Spec.Selector != nil {
		return "a claim with a selector cannot be provisioned"
	}
	if claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == core.PersistentVolumeBlock {
		return "block volumes are not provided"
	}
	for _, mode := range claim.Spec.AccessModes {
		if !slices.Contains(accessModes, mode) {
			return fmt.Sprintf("access mode %s is not provided", mode)
		}
	}
	return ""
}

func onlyOn(node string) *core.VolumeNodeAffinity {
	return &core.VolumeNodeAffinity{Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{{
		MatchExpressions: []core.NodeSelectorRequirement{{
			Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{node},
		}},
	}}}}
}

func runProvisioner() {
	options := flag.NewFlagSet("shared-storage", flag.ExitOnError)
	kubeconfig := options.String("kubeconfig", "", "kubeconfig of the cluster")
	root := options.String("root", "", "absolute path of the folder that holds the volumes")
	name := options.String("provisioner", "", "provisioner name that storage classes refer to")
	node := options.String("node", "", "name of the node that holds the folder")
	_ = options.Parse(os.Args[1:])
	if err := provision(*kubeconfig, *root, *name, *node); err != nil {
		fmt.Fprintln(os.Stderr, "shared-storage:", err)
		os.Exit(1)
	}
}

func provision(kubeconfig, path, name, node string) error {
	if !filepath.IsAbs(path) || name == "" || node == "" {
		return errors.New("--root (absolute), --provisioner and --node are needed")
	}
	// Folders must be open to every user whatever umask the caller has.
	syscall.Umask(0)
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	volumes := &folders{path: filepath.Clean(path), root: root, node: node}
	controller.NewProvisionController(ctx, client, name, volumes,
		controller.LeaderElection(false)).Run(ctx)
	return nil
}
