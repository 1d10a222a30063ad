# Only the parts of Rails that this application uses. The gems are Debian's: there is no Gemfile.
require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"

module K8sDemo
  class Application < Rails::Application
    config.load_defaults 6.1
    # The host name of a container is the name of its pod.
    config.x.pod = Socket.gethostname
  end
end
