// Facts of the one API group that Debian does not package: apiregistration.k8s.io (kube-aggregator), by hand
// from the documented API and its protobuf numbers.
import type { GroupVersionFacts } from "./extract.ts";

export const handWritten: { [name: string]: GroupVersionFacts } = {
  "apiregistration/v1": {
    group: "apiregistration.k8s.io",
    version: "v1",
    openapi: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1",
    kinds: ["APIService", "APIServiceList"],
    enums: {},
    messages: {
      APIService:
        "@cluster; ~TypeMeta; metadata 1 meta/v1.ObjectMeta; spec 2 APIServiceSpec; status 3 APIServiceStatus",
      APIServiceCondition:
        "type 1 APIServiceConditionType=string !; status 2 ConditionStatus=string !; lastTransitionTime 3 time; reason 4 string; message 5 string",
      APIServiceList: "~TypeMeta; metadata 1 meta/v1.ListMeta; items 2 []APIService !",
      APIServiceSpec:
        "service 1 *ServiceReference; group 2 string; version 3 string; insecureSkipTLSVerify 4 bool; caBundle 5 bytes l=atomic; groupPriorityMinimum 7 int32 !; versionPriority 8 int32 !",
      APIServiceStatus: "conditions 1 []APIServiceCondition m=type p=merge l=map k=type",
      ServiceReference: "namespace 1 string; name 2 string; port 3 *int32",
    },
  },
};
