Rails.application.routes.draw do
  root "posts#index"
  get "healthz", to: "posts#health"
end
